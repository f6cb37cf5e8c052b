#include "allocator/thread_state.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <csetjmp>
#include <csignal>
#include <cstring>
#include <thread>
#include <vector>

#include "allocator/ledger/ledger.h"
#include "allocator/process.h"
#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

using ledger::g_ledger;
using ledger::TableId;

uint32_t ThreadRecords() {
  const uint32_t count = g_ledger.Count(TableId::kThreads);
  return count == 0 ? 0 : count - 1;
}

const ledger::Thread& ThreadRecord(uint32_t index) { return *g_ledger.At<ledger::Thread>(TableId::kThreads, index); }

bool Records() {
  const Event event;
  return event.recording();
}

void WaitUntil(const std::atomic<bool>& flag) {
  while (!flag) std::this_thread::yield();
}

TEST(Event, TheFirstOneStartsTheRecord) {
  InFreshProcess([] {
    EXPECT_EQ(CurrentPhase(), Phase::kNotStarted);
    EXPECT_EQ(ThisThread(), nullptr);
    {
      const Event event;
      EXPECT_TRUE(event.recording());
      EXPECT_FALSE(event.over());
      EXPECT_EQ(CurrentPhase(), Phase::kRunning);
      EXPECT_EQ(event.thread(), ThisThread());
      EXPECT_NE(event.thread()->busy.load(), 0u);
    }
    EXPECT_EQ(ThisThread()->busy.load(), 0u);
    EXPECT_EQ(ThisThread()->tid, static_cast<uint32_t>(gettid()));
  });
}

TEST(Event, InsideAnotherNothingIsRecorded) {
  InFreshProcess([] {
    const Event outer;
    ASSERT_TRUE(outer.recording());
    {
      const Event inner;
      EXPECT_FALSE(inner.recording());
      EXPECT_FALSE(inner.over());
      EXPECT_FALSE(Records());
    }
    EXPECT_NE(ThisThread()->busy.load(), 0u) << "the inner one does not end the outer one";
    EXPECT_FALSE(Records());
  });
}

TEST(Event, AfterTheEndNothingIsRecorded) {
  InFreshProcess([] {
    ASSERT_TRUE(Records());
    SetPhase(Phase::kOver);
    const Event event;
    EXPECT_FALSE(event.recording());
    EXPECT_TRUE(event.over());
    std::thread([] {
      const Event late;
      EXPECT_TRUE(late.over());
    }).join();
    EXPECT_EQ(ThreadRecords(), 1u) << "a closed record gets no new threads";
  });
}

TEST(ThreadState, KnowsTheStackItRunsOn) {
  InFreshProcess([] {
    const auto check = [] {
      int local;
      ASSERT_TRUE(Records());
      const ThreadState* state = ThisThread();
      EXPECT_LT(state->stack_low, reinterpret_cast<uintptr_t>(&local));
      EXPECT_GT(state->stack_high, reinterpret_cast<uintptr_t>(&local));
    };
    check();
    std::thread(check).join();
  });
}

TEST(ThreadState, NamesAreKeptUpToDate) {
  InFreshProcess([] {
    prctl(PR_SET_NAME, "first");
    ASSERT_TRUE(Records());
    EXPECT_STREQ(ThreadRecord(1).name, "first");
    prctl(PR_SET_NAME, "a name of 15 ch");
    std::atomic<bool> named{false};
    std::atomic<bool> done{false};
    std::thread other([&] {
      ASSERT_TRUE(Records());
      prctl(PR_SET_NAME, "second");
      named = true;
      WaitUntil(done);
    });
    WaitUntil(named);
    RefreshThreadNames();
    EXPECT_STREQ(ThreadRecord(1).name, "a name of 15 ch");
    EXPECT_STREQ(ThreadRecord(2).name, "second");
    EXPECT_EQ(ThreadRecord(1).tid, static_cast<uint32_t>(gettid()));
    done = true;
    other.join();
  });
}

TEST(ThreadState, ThreadsThatComeAndGoReuseAFew) {
  MALLOCSPY_SKIP_UNDER_TSAN();
  InFreshProcess([] {
    ASSERT_TRUE(Records());
    WatchThreadEnds();
    for (int i = 0; i < 2000; ++i) {
      std::thread([] { ASSERT_TRUE(Records()); }).join();
    }
    EXPECT_LE(ThreadRecords(), 3u);
    for (int round = 0; round < 50; ++round) {
      std::vector<std::thread> threads;
      for (int i = 0; i < 8; ++i) threads.emplace_back([] { ASSERT_TRUE(Records()); });
      for (std::thread& thread : threads) thread.join();
    }
    EXPECT_LE(ThreadRecords(), 10u);
    for (uint32_t i = 1; i <= ThreadRecords(); ++i) {
      EXPECT_EQ(ThreadRecord(i).state, ThreadRecord(i).tid == static_cast<uint32_t>(gettid()) ? 1u : 2u) << i;
    }
  });
}

pthread_key_t destructor_key;
std::atomic<int> passes{0};
std::atomic<int> recorded{0};

void RecordAndComeAgain(void* value) {
  ++passes;
  if (Records()) ++recorded;
  if (Records()) ++recorded;
  pthread_setspecific(destructor_key, value);
}

// A program's own destructors allocate and free until the very last pass, also after ours.
TEST(ThreadState, ThreadSpecificDestructorsAreRecorded) {
  MALLOCSPY_SKIP_UNDER_TSAN();
  for (const bool ours_first : {true, false}) {
    InFreshProcess([ours_first] {
      ASSERT_TRUE(Records());
      if (ours_first) WatchThreadEnds();
      ASSERT_EQ(pthread_key_create(&destructor_key, RecordAndComeAgain), 0);
      if (!ours_first) WatchThreadEnds();
      std::thread([] {
        ASSERT_TRUE(Records());
        pthread_setspecific(destructor_key, &destructor_key);
      }).join();
      EXPECT_EQ(passes, PTHREAD_DESTRUCTOR_ITERATIONS);
      EXPECT_EQ(recorded, 2 * PTHREAD_DESTRUCTOR_ITERATIONS);
      // The thread's state is free again, and no lock of its last events is held.
      for (int i = 0; i < 3; ++i) std::thread([] { ASSERT_TRUE(Records()); }).join();
      EXPECT_LE(ThreadRecords(), 3u);
    });
  }
}

void RecordAndNestInDestructor(void* value) {
  const Event event;
  if (event.recording()) ++recorded;
  if (!Records()) ++passes;
  pthread_setspecific(destructor_key, value);
}

TEST(ThreadState, LateEventsDoNotNestEither) {
  MALLOCSPY_SKIP_UNDER_TSAN();
  InFreshProcess([] {
    ASSERT_TRUE(Records());
    WatchThreadEnds();
    ASSERT_EQ(pthread_key_create(&destructor_key, RecordAndNestInDestructor), 0);
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([] {
        ASSERT_TRUE(Records());
        pthread_setspecific(destructor_key, &destructor_key);
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(recorded, 8 * PTHREAD_DESTRUCTOR_ITERATIONS);
    EXPECT_EQ(passes, 8 * PTHREAD_DESTRUCTOR_ITERATIONS);
  });
}

TEST(Freeze, WaitsForEventsUnderWayAndGivesUp) {
  InFreshProcess([] {
    ASSERT_TRUE(Records());
    std::atomic<bool> inside{false};
    std::atomic<bool> leave{false};
    std::thread other([&] {
      const Event event;
      inside = true;
      WaitUntil(leave);
    });
    WaitUntil(inside);
    EXPECT_EQ(FreezeEvents(5), 1u);
    EXPECT_EQ(CurrentPhase(), Phase::kFrozen);
    leave = true;
    EXPECT_EQ(FreezeEvents(60000), 0u);
    SetPhase(Phase::kRunning);
    other.join();
    EXPECT_TRUE(Records());
  });
}

TEST(Freeze, EventsWaitUntilItIsOver) {
  InFreshProcess([] {
    ASSERT_TRUE(Records());
    constexpr int kThreads = 8;
    std::atomic<uint64_t> events{0};
    std::atomic<bool> done{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        while (!done) {
          const Event event;
          if (event.recording()) ++events;
        }
      });
    }
    while (events < 1000) std::this_thread::yield();
    for (int round = 0; round < 20; ++round) {
      ASSERT_EQ(FreezeEvents(60000), 0u);
      const uint64_t before = events;
      usleep(2000);
      EXPECT_EQ(events, before) << "nobody is inside the gate";
      SetPhase(Phase::kRunning);
      while (events == before) std::this_thread::yield();
    }
    done = true;
    for (std::thread& thread : threads) thread.join();
  });
}

TEST(Freeze, EndsInOverForThoseWhoWait) {
  InFreshProcess([] {
    ASSERT_TRUE(Records());
    ASSERT_EQ(FreezeEvents(60000), 0u);
    std::atomic<int> over{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        const Event event;
        if (event.over()) ++over;
      });
    }
    usleep(5000);
    SetPhase(Phase::kOver);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(over, 4);
  });
}

// While the record is read nothing may change it: also not the first event of a new thread.
TEST(Freeze, NewThreadsAreNotRecordedMeanwhile) {
  InFreshProcess([] {
    ASSERT_TRUE(Records());
    ASSERT_EQ(FreezeEvents(60000), 0u);
    const uint64_t used = g_ledger.header().used_bytes;
    std::vector<std::thread> threads;
    std::atomic<int> started{0};
    for (int i = 0; i < 80; ++i) {  // more than the first extent of the table holds
      threads.emplace_back([&] {
        ++started;
        EXPECT_TRUE(Records());
      });
    }
    while (started != 80) std::this_thread::yield();
    usleep(10000);
    EXPECT_EQ(ThreadRecords(), 1u);
    EXPECT_EQ(g_ledger.header().used_bytes.load(), used);
    SetPhase(Phase::kRunning);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(ThreadRecords(), 81u);
  });
}

// A signal handler that allocates on the thread that reads the record would wait for itself.
TEST(Freeze, WhoFrozePassesThrough) {
  for (const bool known : {true, false}) {
    InFreshProcess([known] {
      ASSERT_TRUE(Records());
      std::thread([known] {
        ASSERT_TRUE(!known || Records());
        ASSERT_EQ(FreezeEvents(60000), 0u);
        {
          const Event event;  // would hang
          EXPECT_FALSE(event.recording());
          EXPECT_FALSE(event.over());
        }
        SetPhase(Phase::kRunning);
        EXPECT_TRUE(Records());
      }).join();
    });
  }
}

sigjmp_buf way_out;
void JumpOut(int) { siglongjmp(way_out, 1); }

__attribute__((noinline)) void RaiseInside(int depth, bool with_lock) {
  volatile char frame[256];
  frame[0] = 0;
  if (depth > 0) {
    RaiseInside(depth - 1, with_lock);
  } else {
    const Event event;
    ASSERT_TRUE(event.recording());
    if (with_lock) g_ledger.lock().Lock();
    raise(SIGUSR1);
  }
  asm volatile("" ::"r"(frame) : "memory");
}

TEST(Event, OneThatALongjmpLeftIsOver) {
  for (const bool with_lock : {false, true}) {
    InFreshProcess([with_lock] {
      ASSERT_TRUE(Records());
      std::signal(SIGUSR1, JumpOut);
      for (int i = 0; i < 3; ++i) {
        if (sigsetjmp(way_out, 1) == 0) RaiseInside(10, with_lock);
        EXPECT_TRUE(Records()) << "the thread would be silent for ever";
        EXPECT_EQ(ThisThread()->busy.load(), 0u);
        FutexLockHolder hold(g_ledger.lock());  // would hang
      }
    });
  }
}

TEST(Event, OneThatALongjmpLeftIsOverInThreadsToo) {
  InFreshProcess([] {
    ASSERT_TRUE(Records());
    std::signal(SIGUSR1, JumpOut);
    std::thread([] {
      ASSERT_TRUE(Records());
      if (sigsetjmp(way_out, 1) == 0) RaiseInside(10, true);
      EXPECT_TRUE(Records());
    }).join();
    EXPECT_EQ(FreezeEvents(60000), 0u);
  });
}

bool recorded_in_handler = true;
void RecordInHandler(int) { recorded_in_handler = Records(); }

TEST(Event, ASignalHandlerInsideOneIsNotRecorded) {
  InFreshProcess([] {
    std::signal(SIGUSR1, RecordInHandler);
    {
      const Event event;
      raise(SIGUSR1);
      EXPECT_FALSE(recorded_in_handler);
    }
    raise(SIGUSR1);
    EXPECT_TRUE(recorded_in_handler);
  });
}

TEST(ThreadState, AForkedChildHasOnlyItsOwnThread) {
  MALLOCSPY_SKIP_UNDER_TSAN();
  InFreshProcess([] {
    ASSERT_TRUE(Records());
    WatchThreadEnds();
    std::atomic<bool> done{false};
    std::atomic<int> inside{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        ASSERT_TRUE(Records());
        const Event held;  // in the child nobody ever leaves these
        ++inside;
        WaitUntil(done);
      });
    }
    while (inside != 4) std::this_thread::yield();
    EXPECT_TRUE(EndsWell(ForkWith([] {
      EXPECT_EQ(CurrentPhase(), Phase::kNotStarted);
      ASSERT_TRUE(Records());
      EXPECT_EQ(CurrentPhase(), Phase::kRunning);
      EXPECT_EQ(ThreadRecords(), 1u);
      EXPECT_EQ(ThreadRecord(1).tid, static_cast<uint32_t>(gettid()));
      EXPECT_EQ(FreezeEvents(60000), 0u);
      SetPhase(Phase::kRunning);
      std::thread([] { ASSERT_TRUE(Records()); }).join();
      EXPECT_EQ(ThreadRecords(), 2u);
    })));
    EXPECT_EQ(CurrentPhase(), Phase::kRunning);
    done = true;
    for (std::thread& thread : threads) thread.join();
  });
}

TEST(ThreadState, AThreadThatForksIsTheChildsOnly) {
  InFreshProcess([] {
    ASSERT_TRUE(Records());
    WatchThreadEnds();
    std::thread([] {
      int local;
      ASSERT_TRUE(Records());
      EXPECT_TRUE(EndsWell(ForkWith([&] {
        ASSERT_TRUE(Records());
        EXPECT_EQ(ThisThread()->tid, static_cast<uint32_t>(getpid()));
        // It runs on the stack of the thread that it was.
        EXPECT_LT(ThisThread()->stack_low, reinterpret_cast<uintptr_t>(&local));
        EXPECT_GT(ThisThread()->stack_high, reinterpret_cast<uintptr_t>(&local));
      })));
    }).join();
  });
}

}  // namespace
}  // namespace mallocspy
