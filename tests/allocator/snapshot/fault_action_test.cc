#include "allocator/snapshot/fault_action.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csetjmp>
#include <csignal>

#include "allocator/process.h"
#include "allocator/snapshot/fatal_signals.h"
#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

int handled = 0;
int calls = 0;
sigset_t mask_within;

bool HandlesAll(siginfo_t*, void*) {
  ++handled;
  return true;
}
bool HandlesNone(siginfo_t*, void*) { return false; }

void Note(int) {
  ++calls;
  sigprocmask(SIG_BLOCK, nullptr, &mask_within);
}

void Take(bool (*handle)(siginfo_t*, void*)) {
  ASSERT_TRUE(EnsureStarted());
  BindSigaction(::sigaction);
  ASSERT_TRUE(TakeFaults(handle));
}

struct sigaction Programs() {
  struct sigaction now = {};
  EXPECT_EQ(SetProgramAction(nullptr, &now), 0);
  return now;
}

TEST(FaultAction, StandsInForOneSignalOnceItIsTaken) {
  InFreshProcess([] {
    EXPECT_FALSE(StandsInFor(SIGSEGV));
    Take(HandlesNone);
    EXPECT_TRUE(StandsInFor(SIGSEGV));
    EXPECT_FALSE(StandsInFor(SIGBUS));
    EXPECT_EQ(Programs().sa_handler, SIG_DFL);
  });
}

TEST(FaultAction, WhatWasSetBeforeIsThePrograms) {
  InFreshProcess([] {
    std::signal(SIGSEGV, Note);
    Take(HandlesNone);
    EXPECT_EQ(Programs().sa_handler, Note);
    raise(SIGSEGV);
    EXPECT_EQ(calls, 1);
  });
  InFreshProcess([] {
    ASSERT_TRUE(EnsureStarted());
    BindSigaction(::sigaction);
    WatchFatalSignals(false);
    ASSERT_TRUE(TakeFaults(HandlesNone));
    EXPECT_EQ(Programs().sa_handler, SIG_DFL) << "ours is nobody's";
  });
}

TEST(FaultAction, ASentSignalIsThePrograms) {
  InFreshProcess([] {
    Take(HandlesAll);
    EXPECT_EQ(SetProgramHandler(SIG_IGN, 0, false), SIG_DFL);
    raise(SIGSEGV);
    EXPECT_EQ(SetProgramHandler(Note, SA_RESTART, true), SIG_IGN);
    raise(SIGSEGV);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(handled, 0);
    EXPECT_EQ(sigismember(&mask_within, SIGSEGV), 1);
    sigset_t now;
    sigprocmask(SIG_BLOCK, nullptr, &now);
    EXPECT_EQ(sigismember(&now, SIGSEGV), 0) << "as it was";
  });
}

TEST(FaultAction, FlagsAndMaskAreTheOnesAskedFor) {
  InFreshProcess([] {
    Take(HandlesNone);
    struct sigaction action = {};
    action.sa_handler = Note;
    action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_NODEFER;
    sigaddset(&action.sa_mask, SIGUSR1);
    ASSERT_EQ(SetProgramAction(&action, nullptr), 0);
    EXPECT_EQ(Programs().sa_flags, action.sa_flags);
    raise(SIGSEGV);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(sigismember(&mask_within, SIGSEGV), 0);
    EXPECT_EQ(sigismember(&mask_within, SIGUSR1), 1);
    EXPECT_EQ(Programs().sa_handler, SIG_DFL) << "once only";
  });
}

TEST(FaultAction, TheSameStructForBothEnds) {
  InFreshProcess([] {
    Take(HandlesNone);
    struct sigaction action = {};
    action.sa_handler = Note;
    ASSERT_EQ(SetProgramAction(&action, &action), 0);
    EXPECT_EQ(action.sa_handler, SIG_DFL);
    EXPECT_EQ(Programs().sa_handler, Note);
  });
}

TEST(FaultAction, AVforkChildChangesItsOwnOnly) {
  MALLOCSPY_SKIP_UNDER_TSAN();
  InFreshProcess([] {
    Take(HandlesNone);
    EXPECT_EQ(SetProgramHandler(Note, 0, true), SIG_DFL);
    const pid_t child = vfork();
    if (child == 0) {
      SetProgramHandler(SIG_DFL, 0, false);
      _exit(0);
    }
    int status;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(Programs().sa_handler, Note);
    raise(SIGSEGV);
    EXPECT_EQ(calls, 1);
  });
}

}  // namespace
}  // namespace mallocspy
