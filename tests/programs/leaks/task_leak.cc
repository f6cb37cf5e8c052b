// Blocks of the task allocator. Without mallocspy there is none, and the program uses malloc.
#include <cstdlib>

extern "C" __attribute__((weak)) void* CoTaskMemAlloc(size_t bytes);
extern "C" __attribute__((weak)) void CoTaskMemFree(void* block);

static void* Leak() {
  if (CoTaskMemAlloc == nullptr) return std::malloc(47);
  return CoTaskMemAlloc(47);  // leak: 2 blocks 94 bytes task
}

int main() {
  Leak();
  Leak();
  if (CoTaskMemAlloc != nullptr) CoTaskMemFree(CoTaskMemAlloc(48));
}
