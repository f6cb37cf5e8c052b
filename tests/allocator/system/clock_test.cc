#include "allocator/system/clock.h"

#include <gtest/gtest.h>

namespace mallocspy {
namespace {

uint64_t LibcNow() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

TEST(Clock, AgreesWithLibc) {
  // The wall clock may be set back meanwhile; one hour is more than any leap.
  constexpr uint64_t kHourNs = uint64_t{3600} * 1000000000;
  const uint64_t before = LibcNow();
  const uint64_t ours = RealtimeNs();
  EXPECT_GE(ours + kHourNs, before);
  EXPECT_LE(ours, LibcNow() + kHourNs);
}

}  // namespace
}  // namespace mallocspy
