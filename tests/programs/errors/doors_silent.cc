// Every door used as it should be: nothing is reported.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <memory>
#include <new>
#include <string>
#include <vector>

// C23; glibc has none yet.
extern "C" __attribute__((weak)) void free_sized(void* block, size_t bytes);
extern "C" __attribute__((weak)) void free_aligned_sized(void* block, size_t alignment, size_t bytes);

namespace {

struct Base {
  virtual ~Base() = default;
  char bytes[24];
};
struct Derived : Base {
  std::string text = std::string(100, 'x');
};
struct alignas(128) Wide {
  ~Wide() { count += 1; }
  int count = 0;
};

}  // namespace

int main() {
  void* volatile block = malloc(27);
  free_sized != nullptr ? free_sized(block, 27) : free(block);
  block = realloc(nullptr, 10);
  block = realloc(block, 1000);
  block = realloc(block, 0);
  free(nullptr);
  block = aligned_alloc(64, 128);
  free_aligned_sized != nullptr ? free_aligned_sized(block, 64, 128) : free(block);
  void* aligned = nullptr;
  if (posix_memalign(&aligned, 256, 100) != 0) return 1;
  free(aligned);
  free(strdup("text"));
  char* line = nullptr;
  if (asprintf(&line, "%d", 5) < 0) return 1;
  free(line);
  delete static_cast<int*>(nullptr);
  delete new (std::nothrow) int(5);
  Base* base = new Derived;
  delete base;
  delete[] new std::string[7];
  delete new Wide;
  delete[] new Wide[3];
  alignas(Derived) char place[sizeof(Derived)];
  Derived* placed = new (place) Derived;
  placed->~Derived();
  std::vector<std::unique_ptr<Base>> many;
  for (int i = 0; i < 100; ++i) many.push_back(std::make_unique<Derived>());
  auto shared = std::make_shared<Derived>();
  std::weak_ptr<Derived> weak = shared;
  return 0;
}
