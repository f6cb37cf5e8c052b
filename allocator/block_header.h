// What lies around a block.
//
//   raw (from the wrapped malloc)                       address (what the program sees)
//   v                                                   v
//   +-------------------------------+-------------------+-----------------+--------------+
//   | padding, then Extension (16)  | BlockHeader (16)  | payload         | guard (8-15) |
//   +-------------------------------+-------------------+-----------------+--------------+
//   '---- only aligned doors -------'                   '-- size bytes ---'-- to a multiple of 8, and 8 more
//
// The header carries a check value over itself, its address and a secret, so a header that was written over is noticed.
// The guard's bytes depend on the address modulo 8 and are never zero, so that the commonest overflow, one NUL, is seen.
#pragma once

#include <cstddef>
#include <cstdint>

#include "spy/heap.h"

namespace mallocspy {

struct BlockHeader {
  uint32_t stack;  // ledger::Stack
  uint16_t mark;   // current at the block's birth
  uint16_t check;
  uint64_t size : 48;  // requested bytes
  uint64_t door : 4;   // Door
  uint64_t guarded : 1;
  uint64_t unused : 3;
  uint64_t spied : 8;  // SpiedBy
};
static_assert(sizeof(BlockHeader) == 16);

// In front of the header of a block from an aligned door.
struct BlockExtension {
  uint64_t alignment;
  uint64_t front_bytes;  // from raw to the payload
};
static_assert(sizeof(BlockExtension) == 16);

inline constexpr size_t kMaxBlockBytes = (size_t{1} << 47) - 1;  // more than the address space has

inline BlockHeader* HeaderOf(void* address) { return static_cast<BlockHeader*>(address) - 1; }
inline const BlockHeader* HeaderOf(const void* address) { return static_cast<const BlockHeader*>(address) - 1; }
inline BlockExtension* ExtensionOf(void* address) {
  return reinterpret_cast<BlockExtension*>(HeaderOf(address)) - 1;
}

constexpr bool IsAligned(Door door) {
  return door == Door::kAlignedMalloc || door == Door::kAlignedNew || door == Door::kAlignedNewArray;
}

// Guard bytes behind a payload of `size` bytes.
constexpr size_t GuardBytes(size_t size) { return 15 - ((size + 7) & 7); }

// The secret of this process; set once, before the first block.
void SetHeaderCookie(uint64_t cookie);

// Writes the check value of a header that was filled in (`check` itself aside).
void Seal(BlockHeader* header);
bool IsSealed(const BlockHeader* header);

void WriteGuard(void* address, size_t size);
// The offset from the block's start of the first changed guard byte, or 0 if the guard is whole (a guard never starts in
// front of byte 0, and a changed byte 0 behind an empty block is reported as 1).
size_t CheckGuard(const void* address, size_t size);

}  // namespace mallocspy
