// Sizes that cannot be had, also those that only wrap around when a header or an alignment is added: NULL and ENOMEM.
// plain: differs
// prints: done
#include <malloc.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <new>

template <typename Call>
static void Expect(const char* name, size_t bytes, Call call) {
  errno = 0;
  void* const block = call();
  if (block != nullptr || errno != ENOMEM) std::printf("%s(%zx): %p errno %d\n", name, bytes, block, errno);
}

int main() {
  char* block = static_cast<char*>(std::malloc(32));
  std::memset(block, 'a', 32);
  for (size_t below = 0; below < 5000; ++below) {
    for (const size_t most : {SIZE_MAX, static_cast<size_t>(PTRDIFF_MAX) + 5001}) {
      const volatile size_t bytes = most - below;
      void* aligned = nullptr;
      Expect("malloc", bytes, [&] { return std::malloc(bytes); });
      Expect("realloc", bytes, [&] { return std::realloc(block, bytes); });
      Expect("calloc", bytes, [&] { return std::calloc(bytes / 2, 3); });
      Expect("reallocarray", bytes, [&] { return reallocarray(block, bytes / 2, 3); });
      Expect("memalign", bytes, [&] { return memalign(4096, bytes); });
      Expect("aligned_alloc", bytes, [&] { return std::aligned_alloc(32, bytes); });
      Expect("valloc", bytes, [&] { return valloc(bytes); });
      Expect("pvalloc", bytes, [&] { return pvalloc(bytes); });
      if (posix_memalign(&aligned, 64, bytes) != ENOMEM || aligned != nullptr)
        std::printf("posix_memalign(%zx)\n", bytes);
      if (::operator new(bytes, std::nothrow) != nullptr) std::printf("new\n");
      try {
        std::printf("new[]: %p\n", ::operator new[](bytes, std::align_val_t(128)));
      } catch (const std::bad_alloc&) {
      }
    }
  }
  for (int i = 0; i < 32; ++i) {
    if (block[i] != 'a') std::printf("the block changed\n");
  }
  std::free(block);
  std::printf("done\n");
}
