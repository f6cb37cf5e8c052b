#include "allocator/block_header.h"

namespace mallocspy {

// Constant-initialized: blocks may be made before any constructor.
constinit HeaderSecret g_header_secret = {0x9ae16a3b2f90404f, 0x95c3d78981939bd5};

void SetHeaderCookie(uint64_t cookie) {
  constexpr uint64_t kSet = 0x8181818181818181;
  constexpr uint64_t kClear = 0x2020202020202020;
  g_header_secret = {cookie, ((cookie * 0x2545f4914f6cdd1d) | kSet) & ~kClear};
}

size_t CheckGuard(const void* address, size_t size) {
  if (IsGuardWhole(address, size)) return 0;
  const unsigned char* end = static_cast<const unsigned char*>(address) + size;
  for (size_t i = 0; i < GuardBytes(size); ++i) {
    if (end[i] != static_cast<unsigned char>(GuardAt(size + i))) return size + i == 0 ? 1 : size + i;
  }
  return 0;
}

}  // namespace mallocspy
