// Functions that fixture.cc inlines from another file, so that call sites name two files.
#pragma once

// Prints one line: label, the address to which it returns (less the load bias), and the lines given.
[[gnu::noinline]] void Record(const char* label, int innermost, int middle = 0, int outermost = 0);

namespace depot {

[[gnu::always_inline]] inline void Inner(int outermost, int middle) {
  Record("chain", __LINE__, middle, outermost);
  asm volatile("");  // else the call may become a jump
}

template <typename T>
struct Shelf {
  [[gnu::always_inline]] void Middle(T outermost) {
    asm volatile("");
    Inner(outermost, __LINE__);
  }
};

}  // namespace depot
