#include "allocator/system/wrapped_malloc.h"

#include <dlfcn.h>
#include <sys/uio.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "allocator/system/heap_top.h"
#include "allocator/system/raw_syscall.h"

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

// Heaps of the arenas that threads have: each begins at a multiple of its largest size (malloc/arena.c, "HEAP_MAX_SIZE").
constexpr uintptr_t kArenaHeapBytes = uintptr_t{64} << 20;
constexpr size_t kMostArenaHeaps = 1024;
[[maybe_unused]] constexpr uint64_t kNotMainArena = 4;  // a chunk's flag
constinit std::atomic<uintptr_t> arena_heaps[kMostArenaHeaps] = {};  // by number, open addressing; 0: free

void NoteArenaHeap([[maybe_unused]] const void* block) {
#if !defined(MALLOCSPY_SANITIZED)  // a sanitizer's blocks are not laid out like that
  if ((static_cast<const uint64_t*>(block)[-1] & kNotMainArena) == 0) return;
  const uintptr_t start = reinterpret_cast<uintptr_t>(block) & ~(kArenaHeapBytes - 1);
  for (size_t at = start / kArenaHeapBytes % kMostArenaHeaps, tries = 0; tries < kMostArenaHeaps; ++tries, at = (at + 1) % kMostArenaHeaps) {
    uintptr_t there = arena_heaps[at].load(std::memory_order_relaxed);
    if (there == start) return;
    if (there == 0 && arena_heaps[at].compare_exchange_strong(there, start, std::memory_order_relaxed)) return;
    if (there == start) return;
  }
#endif
}

void* AtHeapTop(void* block, size_t bytes) {
  g_heap_top.Gave(block, bytes);
  if (block != nullptr) NoteArenaHeap(block);
  return block;
}

}  // namespace

void* Malloc(size_t bytes) { return AtHeapTop(__libc_malloc(bytes), bytes); }
void* Calloc(size_t bytes) { return AtHeapTop(__libc_calloc(1, bytes), bytes); }
void* Realloc(void* block, size_t bytes) { return AtHeapTop(__libc_realloc(block, bytes), bytes); }
void* Memalign(size_t alignment, size_t bytes) { return AtHeapTop(__libc_memalign(alignment, bytes), bytes); }
void Free(void* block) { __libc_free(block); }

bool MayOwn(const void* block) {
  // glibc keeps a chunk's size in the word in front of the block, with three flags in its low bits (malloc/malloc.c, "Chunks").
  constexpr uint64_t kSmallest = 32;
  constexpr uint64_t kFlags = 7;
  constexpr uint64_t kMmapped = 2;
  constexpr uint64_t kAlignment = 16;
  constexpr uint64_t kPage = 4096;
  const uintptr_t address = reinterpret_cast<uintptr_t>(block);
  if (address % kAlignment != 0 || address < kPage) return false;
  uint64_t words[2];  // of the chunk in front (or the padding of a mapped one), and this chunk's size
  iovec to = {words, sizeof(words)};
  iovec from = {reinterpret_cast<void*>(address - sizeof(words)), sizeof(words)};
  const long pid = RawSyscall(SYS_getpid);
  const long read = RawSyscall(SYS_process_vm_readv, pid, &to, 1, &from, 1, 0);
  if (read == -EFAULT) return false;
  if (read != static_cast<long>(sizeof(words))) return true;  // not allowed to look: the wrapped malloc will say
  const uint64_t size = words[1] & ~kFlags;
  if (size < kSmallest || size % kAlignment != 0 || size > uint64_t{1} << 47) return false;
  if ((words[1] & kMmapped) != 0) return (address - sizeof(words) - words[0]) % kPage == 0;
  return true;
}

void ForEachHeapRange(void (*visit)(uintptr_t start, uintptr_t end, void* context), void* context) {
  for (const std::atomic<uintptr_t>& heap : arena_heaps) {
    const uintptr_t start = heap.load(std::memory_order_relaxed);
    if (start != 0) visit(start, start + kArenaHeapBytes, context);
  }
}

bool IsInHeapRange(uintptr_t address) {
  const uintptr_t start = address & ~(kArenaHeapBytes - 1);
  for (size_t at = start / kArenaHeapBytes % kMostArenaHeaps, tries = 0; tries < kMostArenaHeaps; ++tries, at = (at + 1) % kMostArenaHeaps) {
    const uintptr_t there = arena_heaps[at].load(std::memory_order_relaxed);
    if (there == start || there == 0) return there == start;
  }
  return false;
}

size_t UsableSize(void* block) { return usable_size != nullptr && block != nullptr ? usable_size(block) : 0; }
bool Trim(size_t pad_bytes) { return trim != nullptr && trim(pad_bytes) != 0; }

void Bind() {
  // Not the next one after ours: a program may bring an allocator of its own, whose function fails on glibc's blocks.
  void* libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
  if (libc == nullptr) return;
  usable_size = reinterpret_cast<UsableSizeFunction>(dlsym(libc, "malloc_usable_size"));
  trim = reinterpret_cast<TrimFunction>(dlsym(libc, "malloc_trim"));
}

}  // namespace mallocspy::wrapped
