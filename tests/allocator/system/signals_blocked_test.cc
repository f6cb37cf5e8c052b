#include "allocator/system/signals_blocked.h"

#include <gtest/gtest.h>

#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

volatile sig_atomic_t seen = 0;
void See(int) { seen = seen + 1; }

// ThreadSanitizer runs handlers when it likes.
TEST(SignalsBlocked, HandlersWait) {
  MALLOCSPY_SKIP_UNDER_TSAN();
  ASSERT_NE(signal(SIGUSR1, See), SIG_ERR);
  {
    const SignalsBlocked blocked;
    raise(SIGUSR1);
    EXPECT_EQ(seen, 0);
  }
  EXPECT_EQ(seen, 1);
  raise(SIGUSR1);
  EXPECT_EQ(seen, 2);
}

}  // namespace
}  // namespace mallocspy
