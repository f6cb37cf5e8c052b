#include "allocator/capture/capture_check.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <vector>

#include "allocator/process.h"
#include "tests/allocator/capture/followed_stack.h"
#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

// Follows the stack of here, changes it by `change`, and checks it.
template <typename Change>
__attribute__((noinline)) void CheckHere(Change change) {
  ASSERT_TRUE(EnsureStarted());
  ASSERT_TRUE(LoadUnwinder());
  FollowedStack stack;
  std::vector<uintptr_t> scratch(1000);
  bool whole = stack.Follow(MALLOCSPY_DOOR_FRAME()).whole;
  change(&stack.known(), &whole);
  CheckCapture(&stack.known(), whole, StateAt(MALLOCSPY_DOOR_FRAME()).sp, ThisStack(), scratch.data(), 1000);
  asm volatile("");
}

bool Aborts(const std::function<void()>& body) {
  const int status = StatusOfFreshProcess(body);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

TEST(CaptureCheck, IsSilentOnARightStack) {
  InFreshProcess([] { CheckHere([](KnownStack*, bool*) {}); });
}

TEST(CaptureCheck, AbortsOnAWrongOne) {
  EXPECT_TRUE(Aborts([] { CheckHere([](KnownStack* known, bool*) { known->frame(2).state.pc += 1; }); }));
  EXPECT_TRUE(Aborts([] { CheckHere([](KnownStack* known, bool*) { known->Forget(); }); }));
  EXPECT_TRUE(Aborts([] { CheckHere([](KnownStack*, bool* whole) { *whole = false; }); }));
}

}  // namespace
}  // namespace mallocspy
