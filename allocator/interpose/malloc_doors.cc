// The C doors. No logic but what their own contracts ask before a block is wanted: overflow, alignment, rounding.
#include <malloc.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>

#include "allocator/entrance.h"
#include "allocator/interpose/export.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/wrapped_malloc.h"

namespace {

using mallocspy::Door;
using mallocspy::DoorFrame;
using mallocspy::kMinAlignment;
using mallocspy::kPageBytes;
namespace entrance = mallocspy::entrance;

constexpr size_t kHighestAlignment = SIZE_MAX / 2 + 1;

bool IsPowerOfTwo(size_t value) { return value != 0 && (value & (value - 1)) == 0; }

void* OutOfMemory() {
  errno = ENOMEM;
  return nullptr;
}

void* Aligned(size_t alignment, size_t bytes, const DoorFrame* frame) {
  const size_t least = alignment < kMinAlignment ? kMinAlignment : alignment;
  return entrance::Allocate(bytes, {.door = Door::kAlignedMalloc, .alignment = least}, frame);
}

}  // namespace

extern "C" {

MALLOCSPY_DOOR void* malloc(size_t bytes) {
  return entrance::Allocate(bytes, {.door = Door::kMalloc}, MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void* calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) return OutOfMemory();
  return entrance::Allocate(bytes, {.door = Door::kMalloc, .zeroed = true}, MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void* realloc(void* block, size_t bytes) {
  return entrance::Reallocate(block, bytes, Door::kMalloc, MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void* reallocarray(void* block, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) return OutOfMemory();
  return entrance::Reallocate(block, bytes, Door::kMalloc, MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void free(void* block) { entrance::Deallocate(block, Door::kMalloc, MALLOCSPY_DOOR_FRAME()); }

// Gone from the headers since glibc 2.26; old programs still call it.
MALLOCSPY_DOOR void cfree(void* block) { entrance::Deallocate(block, Door::kMalloc, MALLOCSPY_DOOR_FRAME()); }

// C23: the caller says what it believes of the block.
MALLOCSPY_DOOR void free_sized(void* block, size_t bytes) {
  entrance::Deallocate(block, bytes, 0, Door::kMalloc, MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void free_aligned_sized(void* block, size_t alignment, size_t bytes) {
  entrance::Deallocate(block, bytes, alignment, Door::kMalloc, MALLOCSPY_DOOR_FRAME());
}

// Rounds the alignment up to a power of two, as glibc's does.
MALLOCSPY_DOOR void* memalign(size_t alignment, size_t bytes) {
  if (alignment > kHighestAlignment) {
    errno = EINVAL;
    return nullptr;
  }
  size_t power = kMinAlignment;
  while (power < alignment) power *= 2;
  return Aligned(power, bytes, MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR int posix_memalign(void** out, size_t alignment, size_t bytes) {
  if (!IsPowerOfTwo(alignment) || alignment % sizeof(void*) != 0) return EINVAL;
  const int saved_errno = errno;
  void* block = Aligned(alignment, bytes, MALLOCSPY_DOOR_FRAME());
  errno = saved_errno;
  if (block == nullptr) return ENOMEM;
  *out = block;
  return 0;
}

MALLOCSPY_DOOR void* aligned_alloc(size_t alignment, size_t bytes) {
  if (!IsPowerOfTwo(alignment)) {
    errno = EINVAL;
    return nullptr;
  }
  return Aligned(alignment, bytes, MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void* valloc(size_t bytes) { return Aligned(kPageBytes, bytes, MALLOCSPY_DOOR_FRAME()); }

// Whole pages: the caller may use all of them, so all of them are the block.
MALLOCSPY_DOOR void* pvalloc(size_t bytes) {
  if (bytes > SIZE_MAX - kPageBytes) return OutOfMemory();
  const size_t whole = mallocspy::RoundUp(bytes == 0 ? 1 : bytes, kPageBytes);
  return Aligned(kPageBytes, whole, MALLOCSPY_DOOR_FRAME());
}

// Exactly what was asked for: a program that writes more than that errs, whatever the allocator could bear.
MALLOCSPY_DOOR size_t malloc_usable_size(void* block) {
  if (block == nullptr) return 0;
  const size_t bytes = entrance::SizeOf(block, Door::kMalloc, MALLOCSPY_DOOR_FRAME());
  return bytes != static_cast<size_t>(-1) ? bytes : mallocspy::wrapped::UsableSize(block);
}

MALLOCSPY_DOOR int malloc_trim(size_t pad_bytes) {
  if (!mallocspy::spy_chain.Active()) return mallocspy::g_heap.Trim(pad_bytes) ? 1 : 0;
  entrance::Minimize(Door::kMalloc, MALLOCSPY_DOOR_FRAME());
  return 1;
}

}  // extern "C"
