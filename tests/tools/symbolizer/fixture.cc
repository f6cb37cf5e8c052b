// What the symbolizer's tests look at: each Record() names a place in this file. It prints where the compiler put them.
#include <link.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "fixture_inlined.h"

namespace {

uintptr_t LoadBias() {
  uintptr_t bias = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* program, size_t, void* out) {
        *static_cast<uintptr_t*>(out) = program->dlpi_addr;
        return 1;
      },
      &bias);
  return bias;
}

void Print(const char* label, void* return_address, int innermost, int middle, int outermost) {
  const auto offset = reinterpret_cast<uintptr_t>(return_address) - LoadBias();
  std::printf("%s %#zx %d %d %d\n", label, static_cast<size_t>(offset), innermost, middle, outermost);
}

}  // namespace

[[gnu::noinline]] void Record(const char* label, int innermost, int middle, int outermost) {
  Print(label, __builtin_return_address(0), innermost, middle, outermost);
}

[[noreturn, gnu::noinline]] void RecordAndExit(int line) {
  Print("noreturn", __builtin_return_address(0), line, 0, 0);
  std::exit(0);
}

namespace depot {

struct Crate {
  [[gnu::always_inline]] explicit Crate(int line) {
    Record("constructor", __LINE__, line);
    asm volatile("");
  }
};

namespace {
// Inlined everywhere and unknown to other files: GCC gives such functions no linkage name.
[[gnu::always_inline]] inline void Vanish(int line) {
  Record("vanished", __LINE__, line);
  asm volatile("");
}
}  // namespace

[[gnu::noinline]] void CallVanished() { Vanish(__LINE__); }

[[gnu::noinline]] void Outer() {
  Shelf<int> shelf;
  shelf.Middle(__LINE__);
}

[[gnu::noinline]] void Plain() {
  Record("plain", __LINE__);
  asm volatile("");
}

[[gnu::noinline]] void MakeCrate() { Crate crate(__LINE__); }

[[gnu::noinline]] static void Lambda() {
  auto step = [](int line) __attribute__((noinline)) {
    Record("lambda", line);
    asm volatile("");
  };
  step(__LINE__ - 3);
}

}  // namespace depot

extern "C" [[gnu::noinline]] void c_function() {
  Record("c", __LINE__);
  asm volatile("");
}

// The call is its last instruction: the return address is the next function's.
extern "C" [[gnu::noinline]] void never_returns() { RecordAndExit(__LINE__); }

int main() {
  depot::Plain();
  depot::Outer();
  depot::MakeCrate();
  depot::Lambda();
  depot::CallVanished();
  c_function();
  never_returns();
}
