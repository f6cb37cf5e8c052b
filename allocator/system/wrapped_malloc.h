// The malloc that is wrapped: glibc's own, by the names under which it exports its functions to interposers. Bound by the
// loader, so that no symbol is ever looked up inside an allocation.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mallocspy::wrapped {

void* Malloc(size_t bytes);
void* Calloc(size_t bytes);
void* Realloc(void* block, size_t bytes);
void* Memalign(size_t alignment, size_t bytes);
void Free(void* block);

// Whether what lies in front of `block` could be the wrapped malloc's own record of a block in use. False is certain; memory that is
// not there is found out without touching it.
bool MayOwn(const void* block);

// The memory of its arenas beside the process's heap (brk). Blocks in mappings of their own are not in there. Any thread.
void ForEachHeapRange(void (*visit)(uintptr_t start, uintptr_t end, void* context), void* context);
bool IsInHeapRange(uintptr_t address);

// These have no second name in glibc; they are looked up by Bind(), and until then do nothing and say 0.
size_t UsableSize(void* block);
bool Trim(size_t pad_bytes);

// Once, from the library's constructor.
void Bind();

}  // namespace mallocspy::wrapped
