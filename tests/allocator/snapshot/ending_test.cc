#include "allocator/snapshot/ending.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <thread>
#include <vector>

#include "allocator/block_header.h"
#include "allocator/ledger/ledger.h"
#include "allocator/ledger/live_map.h"
#include "allocator/process.h"
#include "allocator/thread_state.h"
#include "allocator/wrapping_allocator.h"
#include "tests/allocator/snapshot/ended_process.h"

namespace mallocspy {
namespace {

using ledger::End;
using ledger::g_ledger;
using ledger::State;

uint64_t LiveBlocks(const Snapshot& snapshot) {
  uint64_t live = 0;
  for (const SnapshotStack& stack : snapshot.stacks) live += stack.allocations - stack.frees;
  return live;
}

TEST(Ending, AnExit) {
  const EndedProcess ended = RunRecorded([] {
    void* leaked = g_heap.Allocate(100, {.door = Door::kNew});
    g_heap.Deallocate(g_heap.Allocate(50, {}), {});
    static_cast<void>(leaked);
    errno = 4711;
    EndRecord(End::kExit, 7);
    EXPECT_EQ(errno, 4711);
    EXPECT_EQ(CurrentPhase(), Phase::kOver);
  });
  EXPECT_EQ(ended.status, 0);
  const Snapshot& snapshot = ended.snapshot;
  EXPECT_EQ(snapshot.state, State::kEnded);
  EXPECT_EQ(snapshot.end, End::kExit);
  EXPECT_EQ(snapshot.end_value, 7);
  EXPECT_EQ(snapshot.degraded, 0u);
  EXPECT_GE(snapshot.ended_ns, snapshot.started_ns);
  EXPECT_TRUE(snapshot.blocks_known);
  ASSERT_EQ(snapshot.blocks.size(), 1u);
  EXPECT_EQ(snapshot.blocks[0].size, 100u);
  EXPECT_EQ(snapshot.blocks[0].door, Door::kNew);
  EXPECT_EQ(LiveBlocks(snapshot), 1u);
  EXPECT_EQ(snapshot.peak_bytes, 150u);
}

TEST(Ending, OfAProcessWithoutBlocks) {
  const EndedProcess ended = RunRecorded([] { EndRecord(End::kExit, 0); });
  EXPECT_EQ(ended.snapshot.state, State::kEnded);
  EXPECT_TRUE(ended.snapshot.blocks_known);
  EXPECT_TRUE(ended.snapshot.blocks.empty());
}

// A signal handler ends the process while the interrupted code is between a block's live bit and its counter.
TEST(Ending, InTheMiddleOfAnEvent) {
  for (const bool freeing : {false, true}) {
    const EndedProcess ended = RunRecorded([freeing] {
      g_heap.Allocate(100, {});
      void* block = g_heap.Allocate(50, {});
      const Event interrupted;
      if (freeing) {
        EXPECT_TRUE(ledger::g_live_map.Claim(reinterpret_cast<uintptr_t>(block)));
      } else {
        interrupted.thread()->counters.CountFree(HeaderOf(block)->stack, 50);  // as if it had not been counted
      }
      EndRecord(End::kExit, 0);
    });
    const size_t blocks = freeing ? 1 : 2;
    EXPECT_EQ(ended.snapshot.blocks.size(), blocks);
    EXPECT_EQ(LiveBlocks(ended.snapshot), blocks);
    EXPECT_EQ(ended.snapshot.degraded, 0u);
  }
}

TEST(Ending, OnceIsEnough) {
  const EndedProcess ended = RunRecorded([] {
    g_heap.Allocate(100, {});
    EndRecord(End::kExit, 1);
    EndRecord(End::kExit, 2);
    EndRecord(End::kSignal, 3);
    g_heap.Deallocate(g_heap.Allocate(100, {}), {});
  });
  EXPECT_EQ(ended.snapshot.end, End::kExit);
  EXPECT_EQ(ended.snapshot.end_value, 1);
  EXPECT_EQ(ended.snapshot.blocks.size(), 1u);
  EXPECT_EQ(LiveBlocks(ended.snapshot), 1u);
}

TEST(Ending, WhoeverIsFirstCompletesItAndTheOthersWait) {
  for (int round = 0; round < 10; ++round) {
    const EndedProcess ended = RunRecorded([] {
      for (int i = 0; i < 5000; ++i) g_heap.Allocate(10, {});
      std::atomic<int> ready{0};
      std::vector<std::thread> threads;
      for (int t = 0; t < 6; ++t) {
        threads.emplace_back([&, t] {
          ++ready;
          while (ready != 6) {
          }
          EndRecord(End::kExit, 40 + t);
          EXPECT_EQ(g_ledger.header().state.load(), State::kEnded) << "whoever returns finds it complete";
          EXPECT_EQ(CurrentPhase(), Phase::kOver);
        });
      }
      for (std::thread& thread : threads) thread.join();
    });
    EXPECT_EQ(ended.status, 0);
    EXPECT_EQ(ended.snapshot.state, State::kEnded);
    EXPECT_GE(ended.snapshot.end_value, 40);
    EXPECT_LT(ended.snapshot.end_value, 46);
    EXPECT_EQ(ended.snapshot.blocks.size(), 5000u);
  }
}

// The hardest moment: threads that come, allocate, free and go while the record ends. What it says is of one moment.
TEST(Ending, WhileThreadsAllocate) {
  for (int round = 0; round < 10; ++round) {
    const EndedProcess ended = RunRecorded([] {
      g_heap.Deallocate(g_heap.Allocate(1, {}), {});
#if !defined(__SANITIZE_THREAD__)
      WatchThreadEnds();
#endif
      std::atomic<bool> done{false};
      std::atomic<int> busy{0};
      std::vector<std::thread> threads;
      for (int t = 0; t < 6; ++t) {
        threads.emplace_back([&, t] {
          std::vector<void*> held;
          unsigned random = static_cast<unsigned>(t);
          ++busy;
          while (!done) {
            random = random * 1103515245 + 12345;
            const size_t bytes = random >> 16 & 255;
            if (held.size() > 50) {
              g_heap.Deallocate(held.back(), {});
              held.pop_back();
            } else if (!held.empty() && (random & 0x10000000) != 0) {
              held.back() = g_heap.Reallocate(held.back(), bytes + 1, {});
            } else {
              held.push_back(g_heap.Allocate(bytes, {}));
              g_heap.SetSpiedSet(held.back(), 0);
            }
          }
          for (void* block : held) g_heap.Deallocate(block, {});
        });
      }
      threads.emplace_back([&] {
        while (!done) std::thread([] { g_heap.Deallocate(g_heap.Allocate(1, {}), {}); }).join();
      });
      while (busy != 6) std::this_thread::yield();
      usleep(3000);
      EndRecord(End::kExit, 0);
      done = true;
      for (std::thread& thread : threads) thread.join();
    });
    EXPECT_EQ(ended.status, 0);
    const Snapshot& snapshot = ended.snapshot;
    EXPECT_EQ(snapshot.state, State::kEnded);
    EXPECT_EQ(snapshot.degraded, 0u);
    EXPECT_TRUE(snapshot.blocks_known);
    EXPECT_TRUE(snapshot.errors.empty()) << "kind " << static_cast<int>(snapshot.errors[0].kind);
    // Blocks and counters agree, stack by stack.
    std::map<uint32_t, std::pair<uint64_t, uint64_t>> listed;
    for (const SnapshotBlock& block : snapshot.blocks) {
      listed[block.stack].first += 1;
      listed[block.stack].second += block.size;
    }
    for (uint32_t i = 0; i < snapshot.stacks.size(); ++i) {
      EXPECT_EQ(snapshot.stacks[i].allocations - snapshot.stacks[i].frees, listed[i].first);
      EXPECT_EQ(snapshot.stacks[i].allocated_bytes - snapshot.stacks[i].freed_bytes, listed[i].second);
    }
  }
}

TEST(Ending, AThreadThatDoesNotPauseIsSaid) {
  const EndedProcess ended = RunRecorded([] {
    g_heap.Allocate(1, {});
    std::atomic<bool> inside{false};
    std::thread([&] {
      const Event event;
      g_ledger.lock().Lock();  // and stops in the middle of a change
      inside = true;
      while (true) pause();
    }).detach();
    while (!inside) std::this_thread::yield();
    EndRecord(End::kExit, 0);
  });
  EXPECT_EQ(ended.snapshot.state, State::kEnded);
  EXPECT_EQ(ended.snapshot.degraded, uint64_t{ledger::kThreadsRunning});
  EXPECT_EQ(ended.snapshot.blocks.size(), 1u);
}

bool ended_in_handler = false;
void EndInHandler(int) {
  EndRecord(End::kSignal, SIGUSR1);
  ended_in_handler = true;
}

TEST(Ending, InsideAnEventOfTheSameThread) {
  const EndedProcess ended = RunRecorded([] {
    g_heap.Allocate(1, {});
    std::signal(SIGUSR1, EndInHandler);
    const Event event;
    FutexLockHolder hold(g_ledger.lock());
    raise(SIGUSR1);
    EXPECT_TRUE(ended_in_handler);
  });
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.snapshot.end, End::kSignal);
  EXPECT_EQ(ended.snapshot.end_value, SIGUSR1);
  EXPECT_EQ(ended.snapshot.degraded, 0u);
  EXPECT_EQ(ended.snapshot.blocks.size(), 1u);
}

TEST(Ending, AForkedChildEndsForItself) {
  const EndedProcess ended = RunRecorded([] {
    // Not followed, so that there is one ledger to be read.
    void* block = g_heap.Allocate(1, {});
    EXPECT_TRUE(EndsWell(ForkWith([block] {
      EndRecord(End::kExit, 3);
      EXPECT_EQ(CurrentPhase(), Phase::kOver);
      g_heap.Deallocate(block, {});
    })));
    EXPECT_EQ(CurrentPhase(), Phase::kRunning);
    EndRecord(End::kExit, 4);
    EXPECT_TRUE(EndsWell(ForkWith([] { EndRecord(End::kExit, 5); })));
  }, "follow=none");
  EXPECT_EQ(ended.snapshot.end_value, 4);
  EXPECT_EQ(ended.snapshot.blocks.size(), 1u);
}

TEST(Ending, AVforkChildDoesNotEndItsParent) {
  MALLOCSPY_SKIP_UNDER_TSAN();
  const EndedProcess ended = RunRecorded([] {
    g_heap.Allocate(1, {});
    const pid_t child = vfork();
    if (child == 0) {
      EndRecord(End::kExit, 9);
      _exit(0);
    }
    EXPECT_EQ(CurrentPhase(), Phase::kRunning);
    EXPECT_EQ(g_ledger.header().state.load(), State::kRunning);
    EXPECT_TRUE(EndsWell(child));
  });
  EXPECT_EQ(ended.snapshot.state, State::kRunning);
  EXPECT_EQ(ended.snapshot.end, End::kNone);
}

TEST(Ending, ErrorsOfBlocksNeverFreedAreMet) {
  const EndedProcess ended = RunRecorded([] {
    char* over = static_cast<char*>(g_heap.Allocate(100, {.door = Door::kNewArray}));
    over[101] ^= 1;
    char* under = static_cast<char*>(g_heap.Allocate(100, {}));
    under[-9] ^= 1;
    EndRecord(End::kExit, 0);
  });
  const Snapshot& snapshot = ended.snapshot;
  ASSERT_EQ(snapshot.errors.size(), 2u);
  std::map<ledger::ErrorKind, const SnapshotError*> errors;
  for (const SnapshotError& error : snapshot.errors) errors[error.kind] = &error;
  const SnapshotError* over = errors[ledger::ErrorKind::kHeapOverflow];
  ASSERT_NE(over, nullptr);
  EXPECT_EQ(over->value, 101u);
  EXPECT_EQ(over->size, 100u);
  EXPECT_EQ(over->block_door, Door::kNewArray);
  EXPECT_EQ(over->used_door, Door::kNone);
  EXPECT_EQ(over->where, 0u);
  ASSERT_NE(errors[ledger::ErrorKind::kHeapUnderflow], nullptr);
  ASSERT_EQ(snapshot.blocks.size(), 2u);
  uint8_t flags = 0;
  for (const SnapshotBlock& block : snapshot.blocks) flags |= block.flags;
  EXPECT_EQ(flags, ledger::kBlockHeaderDestroyed | ledger::kBlockGuardDestroyed);
}

TEST(Ending, WithoutAnEndTheCountersRemain) {
  const EndedProcess ended = RunRecorded([] {
    g_heap.Allocate(100, {});
    g_heap.Deallocate(g_heap.Allocate(20, {}), {});
    raise(SIGKILL);
  });
  EXPECT_TRUE(WIFSIGNALED(ended.status));
  EXPECT_EQ(ended.snapshot.state, State::kRunning);
  EXPECT_EQ(ended.snapshot.end, End::kNone);
  EXPECT_FALSE(ended.snapshot.blocks_known);
  EXPECT_EQ(LiveBlocks(ended.snapshot), 1u);
}

TEST(Ending, AnExecIsNoted) {
  const EndedProcess ended = RunRecorded([] {
    g_heap.Allocate(100, {});
    NoteExec("/bin/no");
    NoteExec(nullptr);
    EXPECT_EQ(g_ledger.header().end.load(), End::kNone) << "it failed, and the program goes on";
    NoteExec("/bin/next");
  });
  EXPECT_EQ(ended.snapshot.state, State::kRunning);
  EXPECT_EQ(ended.snapshot.end, End::kExec);
  EXPECT_EQ(ended.snapshot.exec_path, "/bin/next");
  EXPECT_NE(ended.snapshot.ended_ns, 0u);
}

TEST(Ending, AVforkChildsExecIsNotItsParents) {
  MALLOCSPY_SKIP_UNDER_TSAN();
  const EndedProcess ended = RunRecorded([] {
    g_heap.Allocate(100, {});
    const pid_t child = vfork();
    if (child == 0) {
      NoteExec("/bin/next");
      _exit(0);
    }
    EXPECT_TRUE(EndsWell(child));
  });
  EXPECT_EQ(ended.snapshot.end, End::kNone);
  EXPECT_EQ(ended.snapshot.exec_path, "");
}

}  // namespace
}  // namespace mallocspy
