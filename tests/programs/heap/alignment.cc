// Every form gives at least what was asked, for every power of two up to 1 MiB and every small size.
#include <malloc.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <new>

static void Check(const char* call, void* block, size_t alignment, size_t bytes) {
  if (block == nullptr || reinterpret_cast<uintptr_t>(block) % alignment != 0) {
    std::printf("%s: %p for %zu bytes at %zu\n", call, block, bytes, alignment);
  } else {
    std::memset(block, 0xa5, bytes);
  }
}

int main() {
  for (size_t bytes = 0; bytes < 70; ++bytes) {
    void* block = std::malloc(bytes);
    Check("malloc", block, 16, bytes);
    block = std::realloc(block, bytes * 2 + 1);
    Check("realloc", block, 16, bytes * 2 + 1);
    std::free(block);
    block = ::operator new(bytes);
    Check("new", block, 16, bytes);
    ::operator delete(block);
  }
  for (size_t alignment = 1; alignment <= (1 << 20); alignment *= 2) {
    for (size_t bytes : {size_t{0}, size_t{1}, size_t{100}, size_t{5000}}) {
      void* block = memalign(alignment, bytes);
      Check("memalign", block, alignment, bytes);
      std::free(block);
      if (alignment >= sizeof(void*)) {
        if (posix_memalign(&block, alignment, bytes) != 0) block = nullptr;
        Check("posix_memalign", block, alignment, bytes);
        std::free(block);
      }
      block = ::operator new[](bytes, std::align_val_t(alignment));
      Check("new[]", block, alignment, bytes);
      ::operator delete[](block, std::align_val_t(alignment));
      block = std::aligned_alloc(alignment, bytes);
      Check("aligned_alloc", block, alignment, bytes);
      std::free(block);
    }
  }
  void* page = valloc(10);
  Check("valloc", page, 4096, 10);
  std::free(page);
  std::printf("done\n");
}
