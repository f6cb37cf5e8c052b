// Every door with its own way out, the sized and nothrow forms included.
#include <cstdlib>
#include <new>

extern "C" __attribute__((weak)) void* CoTaskMemAlloc(size_t bytes);
extern "C" __attribute__((weak)) void CoTaskMemFree(void* block);

struct alignas(64) Wide {
  char bytes[64];
};

int main() {
  delete new int;
  delete[] new int[5];
  delete new Wide;
  delete[] new Wide[3];
  ::operator delete (::operator new(9), size_t{9});
  ::operator delete[](::operator new[](9), size_t{9});
  ::operator delete(::operator new(9, std::nothrow), std::nothrow);
  ::operator delete (::operator new(9, std::align_val_t(32)), size_t{9}, std::align_val_t(32));
  std::free(std::aligned_alloc(64, 128));
  std::free(std::realloc(std::aligned_alloc(64, 128), 500));
  if (CoTaskMemAlloc != nullptr) CoTaskMemFree(CoTaskMemAlloc(9));
}
