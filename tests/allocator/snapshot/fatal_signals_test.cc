#include "allocator/snapshot/fatal_signals.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "allocator/wrapping_allocator.h"
#include "tests/allocator/snapshot/ended_process.h"

namespace mallocspy {
namespace {

void Watch(bool also_terminations) {
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  BindSigaction(::sigaction);
  WatchFatalSignals(also_terminations);
}

int KilledBy(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }

void WriteToNowhere() {
  volatile char* nowhere = reinterpret_cast<char*>(16);
  asm volatile("" : "+r"(nowhere));
  *nowhere = 1;
}

TEST(FatalSignals, ASentSignalEndsTheRecordAndThenTheProcess) {
  for (const int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS}) {
    const EndedProcess ended = RunRecorded([number] {
      g_heap.Allocate(100, {});
      Watch(false);
      raise(number);
    });
    EXPECT_EQ(KilledBy(ended.status), number);
    EXPECT_EQ(ended.snapshot.state, ledger::State::kEnded);
    EXPECT_EQ(ended.snapshot.end, ledger::End::kSignal);
    EXPECT_EQ(ended.snapshot.end_value, number);
    EXPECT_EQ(ended.snapshot.blocks.size(), 1u);
  }
}

TEST(FatalSignals, AFaultAndAnAbort) {
  EndedProcess ended = RunRecorded([] {
    Watch(false);
    g_heap.Allocate(100, {});
    WriteToNowhere();
  });
  EXPECT_EQ(KilledBy(ended.status), SIGSEGV);
  EXPECT_EQ(ended.snapshot.state, ledger::State::kEnded);
  ended = RunRecorded([] {
    Watch(false);
    g_heap.Allocate(100, {});
    std::abort();
  });
  EXPECT_EQ(KilledBy(ended.status), SIGABRT);
  EXPECT_EQ(ended.snapshot.state, ledger::State::kEnded);
  EXPECT_EQ(ended.snapshot.end_value, SIGABRT);
}

// Where one thread crashes others often do.
TEST(FatalSignals, SeveralThreadsThatCrashAtATime) {
  for (int round = 0; round < 20; ++round) {
    const EndedProcess ended = RunRecorded([] {
      Watch(false);
      for (int i = 0; i < 30000; ++i) g_heap.Allocate(10, {});
      std::atomic<int> ready{0};
      std::vector<std::thread> threads;
      for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
          ++ready;
          while (ready != 4) {
          }
          WriteToNowhere();
        });
      }
      for (std::thread& thread : threads) thread.join();
    });
    EXPECT_EQ(KilledBy(ended.status), SIGSEGV);
    ASSERT_EQ(ended.snapshot.state, ledger::State::kEnded) << round;
    ASSERT_EQ(ended.snapshot.blocks.size(), 30000u);
  }
}

TEST(FatalSignals, TerminationsOnlyIfNobodyElseReadsTheLedger) {
  for (const bool watched : {false, true}) {
    const EndedProcess ended = RunRecorded([watched] {
      g_heap.Allocate(100, {});
      Watch(watched);
      raise(SIGTERM);
    });
    EXPECT_EQ(KilledBy(ended.status), SIGTERM);
    EXPECT_EQ(ended.snapshot.state, watched ? ledger::State::kEnded : ledger::State::kRunning);
  }
}

bool handled = false;

TEST(FatalSignals, TheProgramsOwnDispositionsStay) {
  InFreshProcess([] {
    std::signal(SIGSEGV, [](int) { handled = true; });
    std::signal(SIGTERM, SIG_IGN);
    Watch(true);
    raise(SIGTERM);
    raise(SIGSEGV);
    EXPECT_TRUE(handled);
    struct sigaction action;
    ASSERT_EQ(sigaction(SIGSEGV, nullptr, &action), 0);
    EXPECT_FALSE(IsOurAction(action));
    ASSERT_EQ(sigaction(SIGABRT, nullptr, &action), 0);
    EXPECT_TRUE(IsOurAction(action));
    EXPECT_TRUE(IsOurHandler(action.sa_handler));
    EXPECT_TRUE(IsWatched(SIGSEGV)) << "it becomes ours when the program sets it to the default";
    EXPECT_TRUE(IsWatched(SIGABRT));
    EXPECT_TRUE(IsWatched(SIGTERM));
    for (const int other : {0, -1, SIGCHLD, SIGKILL, SIGWINCH, 64, 100}) EXPECT_FALSE(IsWatched(other)) << other;
    TakeSignal(SIGSEGV);
    ASSERT_EQ(sigaction(SIGSEGV, nullptr, &action), 0);
    EXPECT_TRUE(IsOurAction(action));
  });
}

}  // namespace
}  // namespace mallocspy
