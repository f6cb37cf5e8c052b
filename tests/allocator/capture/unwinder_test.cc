#include "allocator/capture/unwinder.h"

#include <alloca.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "allocator/process.h"
#include "allocator/system/signals_blocked.h"
#include "tests/allocator/capture/followed_stack.h"
#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

__attribute__((noinline)) FrameRule RuleOfCaller() {
  const SignalsBlocked blocked;
  return LearnRule(reinterpret_cast<uintptr_t>(__builtin_return_address(0)));
}

__attribute__((noinline, optimize("omit-frame-pointer"))) FrameRule FromSp() {
  FrameRule rule = RuleOfCaller();
  asm volatile("" : "+m"(rule));
  return rule;
}

__attribute__((noinline)) FrameRule FromBp(size_t bytes) {
  volatile char* moving = static_cast<char*>(alloca(bytes));
  moving[0] = 1;
  const FrameRule rule = RuleOfCaller();
  moving[0] = 2;
  return rule;
}

TEST(Unwinder, LearnsRules) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    EXPECT_EQ(FromSp().kind, FrameRule::kUnknown) << "not loaded";
    ASSERT_TRUE(LoadUnwinder());
    const FrameRule from_sp = FromSp();
    EXPECT_EQ(from_sp.kind, FrameRule::kFromSp);
    EXPECT_GE(from_sp.cfa_offset, 8);
    const FrameRule from_bp = FromBp(100);
    EXPECT_EQ(from_bp.kind, FrameRule::kFromBp);
    EXPECT_EQ(from_bp.cfa_offset, 16);
    EXPECT_EQ(from_bp.bp_place, FrameRule::kBpAtCfa);
    EXPECT_EQ(from_bp.bp_offset, -16);
    void* made_code = mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_EQ(LearnRule(reinterpret_cast<uintptr_t>(made_code) + 8).kind, FrameRule::kNoRule);
    EXPECT_EQ(LearnRule(1).kind, FrameRule::kNoRule);
  });
}

FrameRule rule_in_handler;
void LearnInHandler(int) { rule_in_handler = LearnRule(reinterpret_cast<uintptr_t>(__builtin_return_address(0))); }

TEST(Unwinder, SignalFramesAreUnusual) {
  MALLOCSPY_SKIP_UNDER_TSAN();
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    ASSERT_NE(std::signal(SIGUSR1, LearnInHandler), SIG_ERR);
    raise(SIGUSR1);
    EXPECT_EQ(rule_in_handler.kind, FrameRule::kUnusual) << "what a handler returns to";
  });
}

__attribute__((noinline)) Capture UnwindHere(uint32_t limit, StackBounds bounds) {
  FollowedStack stack(limit, bounds);
  return stack.Unwind(MALLOCSPY_DOOR_FRAME());
}

__attribute__((noinline)) Capture UnwindDeep(int depth, uint32_t limit, StackBounds bounds) {
  const Capture capture = depth == 0 ? UnwindHere(limit, bounds) : UnwindDeep(depth - 1, limit, bounds);
  asm volatile("");
  return capture;
}

TEST(Unwinder, UnwindsByStepsWithAndWithoutBounds) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    const Capture deep = UnwindDeep(30, 1000, ThisStack());
    EXPECT_TRUE(deep.whole);
    EXPECT_GT(deep.frames.size(), 30u);
    EXPECT_EQ(UnwindDeep(30, 1000, {0, 0}).frames.size(), deep.frames.size()) << "read with the kernel's help";
    const Capture cut = UnwindDeep(30, 10, ThisStack());
    EXPECT_EQ(cut.frames.size(), 10u);
    EXPECT_FALSE(cut.whole);
  });
}

// With its signals blocked: a handler could leave it by a longjmp, with its locks held.
TEST(Unwinder, LeavesTheSignalMaskAlone) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    sigset_t before, after;
    sigemptyset(&before);
    sigaddset(&before, SIGUSR2);
    ASSERT_EQ(pthread_sigmask(SIG_SETMASK, &before, nullptr), 0);
    FromSp();
    ASSERT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &after), 0);
    for (int signal = 1; signal < 32; ++signal) EXPECT_EQ(sigismember(&after, signal), signal == SIGUSR2 ? 1 : 0) << signal;
    EXPECT_FALSE(IsInUnwinder());
  });
}

TEST(Unwinder, AForkWaitsUntilNobodyUnwinds) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    std::atomic<bool> done{false};
    std::thread unwinding([&] {
      while (!done) FromSp();
    });
    for (int i = 0; i < 20; ++i) {
      BeginFork(10000);
      const pid_t child = fork();
      if (child == 0) {
        ResetUnwinderAfterFork();
        ResetUnwinderAfterFork();  // as often as one likes
        _exit(FromSp().kind == FrameRule::kFromSp ? 0 : 1);
      }
      EndFork();
      EXPECT_TRUE(EndsWell(child));
    }
    done = true;
    unwinding.join();
  });
}

}  // namespace
}  // namespace mallocspy
