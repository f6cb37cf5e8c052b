// Blocks of the task allocator freed through libc's and C++'s doors, and the other way round.
#include <cstdlib>

extern "C" __attribute__((weak)) void* CoTaskMemAlloc(size_t bytes);
extern "C" __attribute__((weak)) void CoTaskMemFree(void* block);

int main() {
  if (CoTaskMemAlloc == nullptr) return 0;
  std::free(CoTaskMemAlloc(37));                    // error: mismatched-free
  delete[] static_cast<char*>(CoTaskMemAlloc(41));  // error: mismatched-free
  CoTaskMemFree(std::malloc(43));                   // error: mismatched-free
  CoTaskMemFree(new char[47]);                      // error: mismatched-free
}
