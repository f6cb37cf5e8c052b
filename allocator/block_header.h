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
// The guard's bytes depend on the address modulo 8. They are never zero, a small number, ASCII or 0xff, so that what programs write by
// mistake is seen: one NUL above all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "spy/heap.h"

namespace mallocspy {

struct BlockHeader {
  uint32_t stack;  // ledger::Stack
  uint16_t mark;   // current at the block's birth
  uint16_t check;
  uint64_t size : 46;  // requested bytes
  uint64_t ignored : 1;  // the program said that it is no leak
  uint64_t door : 3;   // Door
  uint64_t guarded : 1;
  uint64_t owner : 5;  // ThreadState::owner of the thread that made it
  uint64_t spied : 8;  // SpiedBy
};
static_assert(kDoors <= 8);
static_assert(sizeof(BlockHeader) == 16);

// In front of the header of a block from an aligned door.
struct BlockExtension {
  uint64_t alignment;
  uint64_t front_bytes;  // from raw to the payload
};
static_assert(sizeof(BlockExtension) == 16);

inline constexpr size_t kMaxBlockBytes = (size_t{1} << 46) - 1;  // half of the address space

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

// A payload of `size` bytes with its guard, if it has one.
constexpr size_t TailBytes(size_t size, bool guarded) { return guarded ? size + GuardBytes(size) : size; }

// What the wrapped malloc is asked for, for a payload of `size` bytes without extension.
constexpr size_t RawBytes(size_t size, bool guarded) { return sizeof(BlockHeader) + TailBytes(size, guarded); }

// The secret of this process; set once, before the first block.
void SetHeaderCookie(uint64_t cookie);

struct HeaderSecret {
  uint64_t cookie;
  uint64_t guard;  // in every byte the highest and the lowest bit are set and one in between is not
};
extern HeaderSecret g_header_secret;

// The check value that a header should have, from all of it but the value itself.
inline uint16_t CheckOf(const BlockHeader* header, uint64_t first_word, uint64_t second_word) {
  uint64_t h = g_header_secret.cookie ^ reinterpret_cast<uintptr_t>(header) ^ (first_word & 0x0000ffffffffffff);
  h ^= second_word << 13 | second_word >> 51;
  return static_cast<uint16_t>(h * 0x9e3779b97f4a7c15 >> 48);
}
static_assert(offsetof(BlockHeader, check) == 6);
inline uint16_t CheckOf(const BlockHeader* header) {
  uint64_t words[2];
  std::memcpy(words, header, sizeof(words));
  return CheckOf(header, words[0], words[1]);
}

// What a header's second word says beside the size, of a block that no spy has seen: its traits, and whose it is. HasTraits() does not
// compare whether it is ignored.
inline constexpr int kTraitsShift = 47;
constexpr uint64_t TraitsOf(Door door, bool guarded) {
  return uint64_t{static_cast<uint8_t>(door)} << kTraitsShift | uint64_t{guarded} << 50;
}
constexpr uint64_t OriginOf(uint8_t owner, bool ignored) { return uint64_t{owner} << 51 | uint64_t{ignored} << (kTraitsShift - 1); }

// Writes a whole header, sealed.
inline void WriteHeader(BlockHeader* header, uint32_t stack, uint16_t mark, uint64_t size, uint64_t traits) {
  uint64_t words[2] = {stack | uint64_t{mark} << 32, size | traits};
  words[0] |= uint64_t{CheckOf(header, words[0], words[1])} << 48;
  std::memcpy(static_cast<void*>(header), words, sizeof(words));
}

// Writes the check value of a header that was filled in.
inline void Seal(BlockHeader* header) { header->check = CheckOf(header); }
inline bool IsSealed(const BlockHeader* header) { return header->check == CheckOf(header); }
// The same of a copy of the header at `address`.
inline bool IsSealedAt(uintptr_t address, const BlockHeader& copy) {
  uint64_t words[2];
  std::memcpy(words, &copy, sizeof(words));
  return copy.check == CheckOf(reinterpret_cast<const BlockHeader*>(address), words[0], words[1]);
}

// Whether a header is sealed and says `traits`; then its other fields can be read.
inline bool HasTraits(const BlockHeader* header, uint64_t traits) {
  uint64_t words[2];
  std::memcpy(words, header, sizeof(words));
  return (words[1] ^ traits) >> kTraitsShift == 0 && words[0] >> 48 == CheckOf(header, words[0], words[1]);
}

// The guard's pattern as it lies at an address that is `phase` modulo 8.
inline uint64_t GuardAt(size_t phase) {
  const int bits = static_cast<int>(phase & 7) * 8;
  return g_header_secret.guard >> bits | g_header_secret.guard << (-bits & 63);
}

inline void WriteGuard(void* address, size_t size) {
  unsigned char* end = static_cast<unsigned char*>(address) + size;
  const uint64_t first = GuardAt(size);
  std::memcpy(end, &first, 8);
  std::memcpy(end + GuardBytes(size) - 8, &g_header_secret.guard, 8);
}

inline bool IsGuardWhole(const void* address, size_t size) {
  const unsigned char* end = static_cast<const unsigned char*>(address) + size;
  uint64_t first;
  uint64_t last;
  std::memcpy(&first, end, 8);
  std::memcpy(&last, end + GuardBytes(size) - 8, 8);
  return ((first ^ GuardAt(size)) | (last ^ g_header_secret.guard)) == 0;
}

// The offset from the block's start of the first changed guard byte, or 0 if the guard is whole (a guard never starts in
// front of byte 0, and a changed byte 0 behind an empty block is reported as 1).
size_t CheckGuard(const void* address, size_t size);

}  // namespace mallocspy
