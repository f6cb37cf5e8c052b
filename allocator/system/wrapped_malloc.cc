#include "allocator/system/wrapped_malloc.h"

#include <dlfcn.h>

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);
}

namespace mallocspy::wrapped {
namespace {

using UsableSizeFunction = size_t (*)(void*);
using TrimFunction = int (*)(size_t);
constinit UsableSizeFunction usable_size = nullptr;
constinit TrimFunction trim = nullptr;

}  // namespace

void* Malloc(size_t bytes) { return __libc_malloc(bytes); }
void* Calloc(size_t bytes) { return __libc_calloc(1, bytes); }
void* Realloc(void* block, size_t bytes) { return __libc_realloc(block, bytes); }
void* Memalign(size_t alignment, size_t bytes) { return __libc_memalign(alignment, bytes); }
void Free(void* block) { __libc_free(block); }

size_t UsableSize(void* block) { return usable_size != nullptr && block != nullptr ? usable_size(block) : 0; }
bool Trim(size_t pad_bytes) { return trim != nullptr && trim(pad_bytes) != 0; }

void Bind() {
  usable_size = reinterpret_cast<UsableSizeFunction>(dlsym(RTLD_NEXT, "malloc_usable_size"));
  trim = reinterpret_cast<TrimFunction>(dlsym(RTLD_NEXT, "malloc_trim"));
}

}  // namespace mallocspy::wrapped
