#include "allocator/block_header.h"

#include <cstring>

namespace mallocspy {
namespace {

// Constant-initialized: blocks may be made before any constructor.
constinit uint64_t header_cookie = 0x9ae16a3b2f90404f;
constinit uint64_t guard_pattern = 0xb5c3d7e9a1f39bd5;  // every byte has its lowest bit set: never zero

uint16_t CheckOf(const BlockHeader* header) {
  uint64_t words[2];
  std::memcpy(words, header, sizeof(words));
  words[0] &= 0x0000ffffffffffff;  // without `check`
  uint64_t h = header_cookie ^ reinterpret_cast<uintptr_t>(header);
  h = (h ^ words[0]) * 0x9e3779b97f4a7c15;
  h = (h ^ h >> 32 ^ words[1]) * 0xd6e8feb86659fd93;
  return static_cast<uint16_t>(h >> 48);
}
static_assert(offsetof(BlockHeader, check) == 6);

// The pattern as it lies at an address that is `phase` modulo 8.
uint64_t GuardAt(size_t phase) {
  const int bits = static_cast<int>(phase & 7) * 8;
  return bits == 0 ? guard_pattern : guard_pattern >> bits | guard_pattern << (64 - bits);
}

}  // namespace

void SetHeaderCookie(uint64_t cookie) {
  header_cookie = cookie;
  guard_pattern = (cookie * 0x2545f4914f6cdd1d) | 0x0101010101010101;
}

void Seal(BlockHeader* header) { header->check = CheckOf(header); }
bool IsSealed(const BlockHeader* header) { return header->check == CheckOf(header); }

void WriteGuard(void* address, size_t size) {
  unsigned char* end = static_cast<unsigned char*>(address) + size;
  const uint64_t first = GuardAt(size);
  std::memcpy(end, &first, 8);
  std::memcpy(end + GuardBytes(size) - 8, &guard_pattern, 8);
}

size_t CheckGuard(const void* address, size_t size) {
  const unsigned char* end = static_cast<const unsigned char*>(address) + size;
  const size_t bytes = GuardBytes(size);
  uint64_t first;
  uint64_t last;
  std::memcpy(&first, end, 8);
  std::memcpy(&last, end + bytes - 8, 8);
  if (first == GuardAt(size) && last == guard_pattern) return 0;
  for (size_t i = 0; i < bytes; ++i) {
    if (end[i] != static_cast<unsigned char>(GuardAt(size + i))) return size + i == 0 ? 1 : size + i;
  }
  return 0;
}

}  // namespace mallocspy
