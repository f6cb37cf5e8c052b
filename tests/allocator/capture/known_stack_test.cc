#include "allocator/capture/known_stack.h"

#include <alloca.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <coroutine>
#include <csetjmp>
#include <csignal>
#include <cstring>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "allocator/capture/call_site_table.h"
#include "allocator/ledger/module_table.h"
#include "allocator/process.h"
#include "allocator/thread_state.h"
#include "tests/allocator/capture/followed_stack.h"
#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

void Prepare() {
  ASSERT_TRUE(EnsureStarted());
  ASSERT_TRUE(LoadUnwinder());
}

// Captures here by rules and by libunwind: the same, and how much of it was known.
__attribute__((noinline)) uint32_t CompareHere(FollowedStack* stack) {
  const DoorFrame* frame = MALLOCSPY_DOOR_FRAME();
  const uint32_t recent = stack->FindRecent(frame);
  const Capture followed = stack->Follow(frame);
  if (recent != 0) {
    EXPECT_EQ(recent, stack->NumberOf(followed)) << "a recent stack was taken for this one";
  }
  stack->KeepRecent(followed);
  const uint32_t kept = stack->known().kept();
  const Capture unwound = stack->Unwind(frame);
  EXPECT_EQ(followed.frames, unwound.frames);
  EXPECT_EQ(followed.whole, unwound.whole);
  EXPECT_FALSE(followed.frames.empty());
  return kept;
}

__attribute__((noinline)) Capture CaptureHere(FollowedStack* stack) {
  const Capture capture = stack->Follow(MALLOCSPY_DOOR_FRAME());
  asm volatile("");
  return capture;
}

template <typename Function>
__attribute__((noinline)) auto Recurse(int depth, Function function) -> decltype(function()) {
  if (depth == 0) return function();
  auto result = Recurse(depth - 1, function);
  asm volatile("" ::"r"(&result) : "memory");  // no tail call
  return result;
}

TEST(KnownStack, WithoutAnUnwinderItIsTheCaller) {
  InFreshProcess([] {
    ASSERT_TRUE(EnsureStarted());
    FollowedStack stack;
    const Capture capture = CaptureHere(&stack);
    EXPECT_EQ(capture.frames.size(), 1u);
    EXPECT_FALSE(capture.whole);
    ASSERT_TRUE(LoadUnwinder());
    EXPECT_TRUE(CaptureHere(&stack).whole) << "and is not believed later";
  });
}

TEST(KnownStack, AgreesWithLibunwind) {
  InFreshProcess([] {
    Prepare();
    FollowedStack stack;
    for (const int depth : {0, 1, 5, 50, 300, 50, 5, 1, 0}) Recurse(depth, [&] { return CompareHere(&stack); });
    EXPECT_EQ(stack.outcome, KnownStack::Outcome::kWhole);
  });
}

TEST(KnownStack, WhatDidNotChangeIsKept) {
  InFreshProcess([] {
    Prepare();
    FollowedStack stack;
    for (int i = 0; i < 3; ++i) {
      const uint32_t kept = CompareHere(&stack);
      EXPECT_EQ(kept, i == 0 ? 0 : stack.known().depth()) << "one place";
      asm volatile("" : "+r"(i));
    }
    CompareHere(&stack);
    EXPECT_EQ(stack.known().kept(), stack.known().depth() - 1) << "another place of the same function";
    const uint32_t outer = stack.known().depth() - 1;
    Recurse(10, [&] { return CompareHere(&stack); });
    EXPECT_EQ(stack.known().kept(), outer);
    stack.known().Forget();
    EXPECT_EQ(CompareHere(&stack), 0u);
  });
}

TEST(KnownStack, LongStacksLoseTheirOuterEndAndSaySo) {
  InFreshProcess([] {
    Prepare();
    FollowedStack all;
    const Capture whole = Recurse(100, [&] { return CaptureHere(&all); });
    ASSERT_GT(whole.frames.size(), 100u);
    ASSERT_TRUE(whole.whole);
    const uint32_t depth = static_cast<uint32_t>(whole.frames.size());
    for (const uint32_t limit : {depth, depth - 1, depth - 20, 10u, 2u, 1u}) {
      FollowedStack stack(limit);
      for (const int more : {0, 0, 3, 0, -3, 7, 0}) {
        const Capture capture = Recurse(100 + more, [&] { return CompareHere(&stack), CaptureHere(&stack); });
        const uint32_t true_depth = depth + static_cast<uint32_t>(more);
        ASSERT_EQ(capture.frames.size(), std::min(limit, true_depth)) << limit << " " << more;
        ASSERT_EQ(capture.whole, limit >= true_depth) << limit << " " << more;
      }
    }
  });
}

// ---- What could mislead it ----

// Calls of every kind that a frame can have, chosen at random: each leaf compares.
struct Walk {
  FollowedStack* stack;
  std::mt19937 random;
  int leaves = 0;
  std::jmp_buf* escape = nullptr;
};

void Branch(Walk* walk, int depth);

__attribute__((noinline)) void PlainFrame(Walk* walk, int depth) {
  Branch(walk, depth);
  asm volatile("");
}

// The frame's size is another one each time, at the same call.
__attribute__((noinline)) void MovingFrame(Walk* walk, int depth) {
  volatile char* moving = static_cast<char*>(alloca(16 + walk->random() % 3 * 16));
  moving[0] = 1;
  Branch(walk, depth);
  moving[0] = 2;
}

__attribute__((noinline)) void AlignedFrame(Walk* walk, int depth) {
  alignas(64) char aligned[64];
  asm volatile("" ::"r"(aligned) : "memory");
  Branch(walk, depth);
  asm volatile("" ::"r"(aligned) : "memory");
}

__attribute__((noinline)) void AlignedMovingFrame(Walk* walk, int depth) {
  alignas(64) char aligned[64];
  char* moving = static_cast<char*>(alloca(16 + walk->random() % 5 * 16));
  asm volatile("" ::"r"(aligned), "r"(moving) : "memory");
  Branch(walk, depth);
  asm volatile("" ::"r"(aligned), "r"(moving) : "memory");
}

// All registers that a call preserves are in use, RBP among them.
__attribute__((noinline, optimize("omit-frame-pointer"))) void BusyFrame(Walk* walk, int depth) {
  uint64_t a = walk->random(), b = walk->random(), c = walk->random(), d = walk->random(), e = walk->random();
  asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));
  Branch(walk, depth);
  asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));
}

__attribute__((noinline)) void CatchingFrame(Walk* walk, int depth) {
  try {
    Branch(walk, depth);
  } catch (const std::runtime_error&) {
    CompareHere(walk->stack);
  }
  asm volatile("");
}

__attribute__((noinline)) void JumpedToFrame(Walk* walk, int depth) {
  std::jmp_buf here;
  std::jmp_buf* volatile outer = walk->escape;
  try {
    if (setjmp(here) == 0) {
      walk->escape = &here;
      Branch(walk, depth);
    } else {
      CompareHere(walk->stack);
    }
  } catch (...) {
    walk->escape = outer;
    throw;
  }
  walk->escape = outer;
}

// Words like those of real frames where frames were: nothing may be taken from there.
__attribute__((noinline)) void StaleFrame(Walk* walk, int depth) {
  volatile uintptr_t stale[24];
  for (volatile uintptr_t& word : stale) {
    word = reinterpret_cast<uintptr_t>(__builtin_return_address(0)) + walk->random() % 2 * 8;
  }
  Branch(walk, depth);
  asm volatile("" ::"r"(stale) : "memory");
}

// No frame at all.
__attribute__((noinline)) void TailCall(Walk* walk, int depth) { Branch(walk, depth); }

// A body that goes on in another call of it than the one in which it began.
struct Generator {
  struct promise_type {
    Generator get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { throw; }
  };
  std::coroutine_handle<promise_type> handle;
};

Generator BranchTwice(Walk* walk, int depth) {
  Branch(walk, depth);
  co_await std::suspend_always{};
  Branch(walk, depth);
}

__attribute__((noinline)) void ResumedFrame(Walk* walk, int depth) {
  const Generator generator = BranchTwice(walk, depth);
  try {
    generator.handle.resume();
    generator.handle.resume();
  } catch (...) {
    generator.handle.destroy();
    throw;
  }
  generator.handle.destroy();
}

void Branch(Walk* walk, int depth) {
  using Frame = void (*)(Walk*, int);
  static constexpr Frame kFrames[] = {PlainFrame,    MovingFrame,   AlignedFrame, AlignedMovingFrame,
                                      BusyFrame,     CatchingFrame, JumpedToFrame, StaleFrame,
                                      TailCall,      ResumedFrame};
  const int calls = 1 + static_cast<int>(walk->random() % 3);
  for (int i = 0; i < calls; ++i) {
    const uint32_t dice = walk->random();
    if (depth == 0 || dice % 8 == 0) {
      ++walk->leaves;
      CompareHere(walk->stack);
      asm volatile("");
    } else {
      kFrames[dice / 8 % std::size(kFrames)](walk, depth - 1);
    }
    const uint32_t leave = walk->random() % 64;
    if (leave == 0 && depth < 8) throw std::runtime_error("up");
    if (leave == 1 && walk->escape != nullptr) std::longjmp(*walk->escape, 1);
  }
}

void WalkAtRandom(uint32_t seed, int leaves) {
  FollowedStack stack;
  Walk walk{&stack, std::mt19937(seed)};
  while (walk.leaves < leaves) {
    walk.escape = nullptr;
    try {
      Branch(&walk, 12);
    } catch (const std::runtime_error&) {
    }
  }
}

// A longjmp skips no destructor here, but a sanitizer's idea of the stack.
TEST(KnownStack, FramesOfEveryKind) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    Prepare();
    WalkAtRandom(1, 5000);
  });
}

TEST(KnownStack, InManyThreads) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    Prepare();
    std::vector<std::thread> threads;
    for (uint32_t t = 0; t < 64; ++t) threads.emplace_back([t] { WalkAtRandom(100 + t, 50); });
    for (std::thread& thread : threads) thread.join();
  });
}

int CompareInside(void* stack) {
  CompareHere(static_cast<FollowedStack*>(stack));
  return 0;
}

// Frames of 1000 and of 3000 bytes at the same addresses.
TEST(KnownStack, AnotherLibraryAtTheSamePlace) {
  InFreshProcess([] {
    Prepare();
    FollowedStack stack;
    for (int i = 0; i < 6; ++i) {
      void* library = dlopen(i % 2 == 0 ? CODE_LIBRARY_A : CODE_LIBRARY_B, RTLD_NOW);
      ASSERT_NE(library, nullptr);
      const auto call = reinterpret_cast<int (*)(int (*)(void*), void*)>(dlsym(library, "CodeLibraryCall"));
      call(CompareInside, &stack);
      call(CompareInside, &stack);
      EXPECT_EQ(stack.outcome, KnownStack::Outcome::kWhole);
      g_call_sites.BeginUnload();
      call(CompareInside, &stack);  // a destructor's allocation
      EXPECT_EQ(stack.known().kept(), 0u) << "nothing learned is used while code goes";
      dlclose(library);
      ledger::g_modules.Refresh();
      g_call_sites.EndUnload();
    }
  });
}

// ---- Stacks that are not the thread's ----

TEST(KnownStack, OnAStackOfUnknownBounds) {
  InFreshProcess([] {
    Prepare();
    for (const StackBounds bounds : {StackBounds{0, 0}, StackBounds{0x1000, 0x2000}}) {
      FollowedStack stack(1000, bounds);
      for (const int depth : {0, 30, 100, 30}) Recurse(depth, [&] { return CompareHere(&stack); });
      EXPECT_EQ(stack.outcome, KnownStack::Outcome::kWhole);
    }
  });
}

FollowedStack* handlers_stack;
void CompareInHandler(int) {
  const DoorFrame* frame = MALLOCSPY_DOOR_FRAME();
  handlers_stack->Follow(frame);
}

TEST(KnownStack, SignalFramesAreLeftToLibunwind) {
  InFreshProcess([] {
    Prepare();
    FollowedStack stack;
    handlers_stack = &stack;
    ASSERT_NE(std::signal(SIGUSR1, CompareInHandler), SIG_ERR);
    CompareHere(&stack);
    raise(SIGUSR1);
    EXPECT_EQ(stack.outcome, KnownStack::Outcome::kUnusual);
    CompareHere(&stack);
    EXPECT_EQ(stack.outcome, KnownStack::Outcome::kWhole);
  });
}

struct Fiber {
  ucontext_t back;
  ucontext_t own;
  FollowedStack* stack;
};
Fiber* running;

void RunFiber() {
  for (;;) {
    Recurse(10, [] { return CompareHere(running->stack); });
    // libc's first function on such a stack has no call frame information.
    EXPECT_EQ(running->stack->outcome, KnownStack::Outcome::kTruncated);
    EXPECT_GT(running->stack->known().depth(), 10u);
    swapcontext(&running->own, &running->back);
  }
}

// Its stack ends where its mapping ends: nothing behind it may be read.
__attribute__((noinline)) void MakeFiber(Fiber* fiber, FollowedStack* stack) {
  constexpr size_t kBytes = 32 * 1024;
  void* memory = mmap(nullptr, kBytes + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  ASSERT_EQ(mprotect(static_cast<char*>(memory) + kBytes, 4096, PROT_NONE), 0);
  ASSERT_EQ(getcontext(&fiber->own), 0);
  fiber->own.uc_stack.ss_sp = memory;
  fiber->own.uc_stack.ss_size = kBytes;
  fiber->own.uc_link = nullptr;
  fiber->stack = stack;
  makecontext(&fiber->own, RunFiber, 0);
}

TEST(KnownStack, FibersOnTheirOwnStacks) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    Prepare();
    FollowedStack stack;
    std::vector<Fiber> fibers(4);
    for (Fiber& fiber : fibers) MakeFiber(&fiber, &stack);
    for (int round = 0; round < 20; ++round) {
      running = &fibers[static_cast<size_t>(round * 7 % 4)];
      ASSERT_EQ(swapcontext(&running->back, &running->own), 0);
      CompareHere(&stack);
    }
  });
}

void* CompareInThread(void*) {
  FollowedStack stack;
  for (const int depth : {0, 5, 20}) Recurse(depth, [&] { return CompareHere(&stack); });
  EXPECT_EQ(stack.outcome, KnownStack::Outcome::kWhole);
  return nullptr;
}

TEST(KnownStack, OnTheSmallestThreadStacks) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    Prepare();
    for (const size_t bytes : {size_t{16} * 1024, size_t{32} * 1024, size_t{256} * 1024}) {
      pthread_attr_t attributes;
      ASSERT_EQ(pthread_attr_init(&attributes), 0);
      ASSERT_EQ(pthread_attr_setstacksize(&attributes, bytes), 0);
      pthread_t thread;
      ASSERT_EQ(pthread_create(&thread, &attributes, CompareInThread, nullptr), 0);
      ASSERT_EQ(pthread_join(thread, nullptr), 0);
      pthread_attr_destroy(&attributes);
    }
  });
}

TEST(KnownStack, DuringAForkNothingIsLearned) {
  InFreshProcess([] {
    Prepare();
    FollowedStack stack;
    BeginFork(10);
    const Capture during = CaptureHere(&stack);
    EXPECT_FALSE(during.whole);
    EXPECT_EQ(during.frames.size(), 1u);
    EndFork();
    CompareHere(&stack);
    EXPECT_EQ(stack.outcome, KnownStack::Outcome::kWhole);
  });
}

}  // namespace
}  // namespace mallocspy
