#include "allocator/capture/stack_capture.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <gtest/gtest.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <thread>
#include <vector>

#include "allocator/capture/own_code.h"
#include "allocator/thread_state.h"
#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

const void* const kCaller = reinterpret_cast<const void*>(0x4711);

StackBounds ThisStack() {
  pthread_attr_t attributes;
  void* low = nullptr;
  size_t bytes = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return {0, 0};
  pthread_attr_getstack(&attributes, &low, &bytes);
  pthread_attr_destroy(&attributes);
  return {reinterpret_cast<uintptr_t>(low), reinterpret_cast<uintptr_t>(low) + bytes};
}

struct Capture {
  std::vector<uintptr_t> frames;
  bool truncated;
};

// Into a buffer that a signal handler may use as well.
uintptr_t buffer[4096 + kOwnFrames];

__attribute__((noinline)) Capture CaptureHere(uint32_t limit = 1000, StackBounds bounds = ThisStack()) {
  const CapturedStack stack = CaptureStack(buffer, limit, bounds, kCaller);
  return {{buffer, buffer + stack.depth}, stack.truncated};
}

void ExpectOnlyCaller(const Capture& capture) {
  EXPECT_EQ(capture.frames, std::vector<uintptr_t>{reinterpret_cast<uintptr_t>(kCaller)});
  EXPECT_TRUE(capture.truncated);
}

// What libgcc's unwinder says of the same call. Both see this function's caller and outwards alike.
struct Comparison {
  Capture ours;
  std::vector<uintptr_t> libgcc;
};
__attribute__((noinline)) Comparison Compare() {
  Comparison result;
  result.ours = CaptureHere();
  std::vector<void*> frames(1000);
  frames.resize(static_cast<size_t>(backtrace(frames.data(), 1000)));
  for (void* frame : frames) result.libgcc.push_back(reinterpret_cast<uintptr_t>(frame));
  asm volatile("");
  return result;
}

void ExpectEqual(const Comparison& comparison) {
#if defined(MALLOCSPY_SANITIZED)
  // Its own frames and its own backtrace() are among these.
  EXPECT_GT(comparison.ours.frames.size(), 5u);
  EXPECT_FALSE(comparison.ours.truncated);
  return;
#endif
  // The inner frames of each are those of the measuring; from Compare's caller on they are the same.
  const std::vector<uintptr_t>& libgcc = comparison.libgcc;
  const std::vector<uintptr_t>& ours = comparison.ours.frames;
  ASSERT_GT(libgcc.size(), 3u);
  size_t common = 0;
  while (common < libgcc.size() && common < ours.size() &&
         libgcc[libgcc.size() - 1 - common] == ours[ours.size() - 1 - common]) {
    ++common;
  }
  EXPECT_EQ(common, libgcc.size() - 1) << "all but the frame of Compare() itself, whose calls differ";
  EXPECT_LE(ours.size() - common, 4u);
  EXPECT_FALSE(comparison.ours.truncated);
}

template <typename Function>
__attribute__((noinline)) auto Recurse(int depth, Function function) -> decltype(function()) {
  if (depth == 0) return function();
  auto result = Recurse(depth - 1, function);
  asm volatile("" ::"r"(&result) : "memory");  // no tail call
  return result;
}

TEST(StackCapture, WithoutAnUnwinderItIsTheCaller) {
  InFreshProcess([] {
    ExpectOnlyCaller(CaptureHere());
    const CapturedStack none = CaptureStack(buffer, 10, ThisStack(), nullptr);
    EXPECT_EQ(none.depth, 0u);
    EXPECT_TRUE(none.truncated);
  });
}

TEST(StackCapture, AgreesWithLibgcc) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    ExpectEqual(Compare());
    for (const int depth : {1, 5, 50, 300}) ExpectEqual(Recurse(depth, [] { return Compare(); }));
  });
}

TEST(StackCapture, OneMoreCallIsOneMoreFrame) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    // Both through the same place, so that the compiler cannot make them differ.
    std::vector<size_t> sizes;
    for (const int depth : {10, 11, 40}) sizes.push_back(Recurse(depth, [] { return CaptureHere(); }).frames.size());
    EXPECT_EQ(sizes[1], sizes[0] + 1);
    EXPECT_EQ(sizes[2], sizes[0] + 30);
  });
}

TEST(StackCapture, LongStacksLoseTheirOuterEndAndSaySo) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    const auto capture = [](uint32_t limit) { return Recurse(100, [limit] { return CaptureHere(limit); }); };
    Capture whole;
    std::vector<Capture> cut;
    const std::vector<uint32_t> limits = {1, 2, 10, 70, 90};
    const uint32_t all = static_cast<uint32_t>(capture(1000).frames.size());
    ASSERT_GT(all, 100u);
    for (const uint32_t limit : {1000u, all, all - 1, all - kOwnFrames, all - kOwnFrames - 1, 90u, 10u, 2u, 1u}) {
      const Capture captured = capture(limit);
      if (limit >= all) {
        EXPECT_EQ(captured.frames.size(), all) << limit;
        EXPECT_FALSE(captured.truncated) << limit;
        whole = captured;
      } else {
        ASSERT_EQ(captured.frames.size(), limit);
        EXPECT_TRUE(captured.truncated) << limit;
        for (uint32_t i = 0; i < limit; ++i) ASSERT_EQ(captured.frames[i], whole.frames[i]) << limit << " " << i;
      }
    }
  });
}

TEST(StackCapture, OnAnUnknownStackItIsTheCaller) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    ExpectOnlyCaller(CaptureHere(100, {0, 0}));
    ExpectOnlyCaller(CaptureHere(100, {0x1000, 0x2000}));
    EXPECT_GT(CaptureHere().frames.size(), 3u);
  });
}

TEST(StackCapture, WithLittleStackLeftItIsTheCaller) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    StackBounds bounds = ThisStack();
    const uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    bounds.low = here - 8 * 1024;
    ExpectOnlyCaller(CaptureHere(100, bounds));
    bounds.low = here - 64 * 1024;
    EXPECT_GT(CaptureHere(100, bounds).frames.size(), 3u);
  });
}

CapturedStack captured_in_handler;
StackBounds thread_stack;
void CaptureInHandler(int) { captured_in_handler = CaptureStack(buffer, 1000, thread_stack, kCaller); }

Capture WhatTheHandlerCaptured() {
  return {{buffer, buffer + captured_in_handler.depth}, captured_in_handler.truncated};
}

TEST(StackCapture, OnASignalStackItIsTheCaller) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    thread_stack = ThisStack();
    stack_t stack = {};
    stack.ss_size = 256 * 1024;
    stack.ss_sp = mmap(nullptr, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_EQ(sigaltstack(&stack, nullptr), 0);
    struct sigaction action = {};
    action.sa_handler = CaptureInHandler;
    action.sa_flags = SA_ONSTACK;
    ASSERT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
    raise(SIGUSR1);
    ExpectOnlyCaller(WhatTheHandlerCaptured());
    ExpectEqual(Compare());
  });
}

__attribute__((noinline)) Capture RaiseDeep(int depth) {
  return Recurse(depth, [] {
    raise(SIGUSR1);
    return WhatTheHandlerCaptured();
  });
}

TEST(StackCapture, ThroughASignalFrameItIsWhole) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    thread_stack = ThisStack();
    std::signal(SIGUSR1, CaptureInHandler);
    const Capture shallow = RaiseDeep(5);
    const Capture deep = RaiseDeep(25);
    EXPECT_FALSE(shallow.truncated);
    EXPECT_FALSE(deep.truncated);
    EXPECT_EQ(deep.frames.size(), shallow.frames.size() + 20) << "the interrupted frames are there";
    EXPECT_EQ(deep.frames.back(), shallow.frames.back());
  });
}

ucontext_t main_context;
ucontext_t fiber_context;
Capture captured_in_fiber;
void Fiber() { captured_in_fiber = CaptureHere(1000, thread_stack); }

TEST(StackCapture, OnAFiberItIsTheCaller) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    thread_stack = ThisStack();
    std::vector<char> stack(256 * 1024);
    ASSERT_EQ(getcontext(&fiber_context), 0);
    fiber_context.uc_stack.ss_sp = stack.data();
    fiber_context.uc_stack.ss_size = stack.size();
    fiber_context.uc_link = &main_context;
    makecontext(&fiber_context, Fiber, 0);
    ASSERT_EQ(swapcontext(&main_context, &fiber_context), 0);
    ExpectOnlyCaller(captured_in_fiber);
    ExpectEqual(Compare());
  });
}

void* CompareInThread(void* result) {
  *static_cast<Comparison*>(result) = Compare();
  return nullptr;
}

void InThreadOfStack(size_t bytes, void* (*function)(void*), void* argument) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, bytes), 0);
  pthread_t thread;
  ASSERT_EQ(pthread_create(&thread, &attributes, function, argument), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

TEST(StackCapture, InThreads) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    Comparison result;
    InThreadOfStack(256 * 1024, CompareInThread, &result);
    ExpectEqual(result);
  });
}

void* CaptureOnSmallStack(void* result) {
  const CapturedStack stack = CaptureStack(buffer, 100, ThisStack(), kCaller);
  *static_cast<CapturedStack*>(result) = stack;
  return nullptr;
}

// The smallest stack that a thread may have: whatever fits, never a crash, and what does not fit is said.
TEST(StackCapture, OnTheSmallestThreadStacks) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    for (size_t bytes = 16 * 1024; bytes <= 48 * 1024; bytes += 4096) {
      CapturedStack stack = {};
      InThreadOfStack(bytes, CaptureOnSmallStack, &stack);
      ASSERT_GT(stack.depth, 0u) << bytes;
      if (stack.truncated) {
        EXPECT_EQ(stack.depth, 1u) << bytes;
        EXPECT_EQ(buffer[0], reinterpret_cast<uintptr_t>(kCaller)) << bytes;
      }
      EXPECT_TRUE(!stack.truncated || bytes < 32 * 1024) << bytes;
    }
  });
}

TEST(StackCapture, DuringAForkItIsTheCaller) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    BeginFork(10);
    ExpectOnlyCaller(CaptureHere());
    BeginFork(10);  // another thread's
    EndFork();
    ExpectOnlyCaller(CaptureHere());
    EndFork();
    ExpectEqual(Compare());
  });
}

TEST(StackCapture, AForkWaitsUntilNobodyUnwinds) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    std::atomic<bool> done{false};
    std::thread unwinding([&] {
      uintptr_t frames[100 + kOwnFrames];
      const StackBounds bounds = ThisStack();
      while (!done) CaptureStack(frames, 100, bounds, kCaller);
    });
    for (int i = 0; i < 20; ++i) {
      BeginFork(10000);
      const pid_t child = fork();
      if (child == 0) {
        ResetCaptureAfterFork();
        // Whatever libunwind and the loader hold while they unwind is not held here.
        _exit(CaptureHere().frames.size() > 3 ? 0 : 1);
      }
      EndFork();
      EXPECT_TRUE(EndsWell(child));
    }
    done = true;
    unwinding.join();
  });
}

// Once when its record starts, which may be inside fork(), and once when fork() returns.
TEST(StackCapture, AChildUnwindsHoweverOftenItIsReset) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    BeginFork(10);
    const pid_t child = ForkWith([] {
      ResetCaptureAfterFork();
      ExpectEqual(Compare());
      ResetCaptureAfterFork();
      ExpectEqual(Compare());
      BeginFork(10);
      ExpectOnlyCaller(CaptureHere());
      EndFork();
      ExpectEqual(Compare());
    });
    EndFork();
    EXPECT_TRUE(EndsWell(child));
    ExpectEqual(Compare());
  });
}

TEST(StackCapture, ACaptureLeftByALongjmpHoldsUpNoFork) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    AbandonCapture();  // of none: nothing to give back
    BeginFork(0);
    EndFork();
    ExpectEqual(Compare());
  });
}

TEST(StackCapture, OurOwnFramesAreCut) {
  MALLOCSPY_SKIP_UNDER_SANITIZER();
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    const Capture whole = CaptureHere();
    // The program's code as a whole is declared ours: libc's frames, which called it, are what is left.
    struct Code {
      uintptr_t start, end;
    } code = {};
    dl_iterate_phdr(
        [](dl_phdr_info* info, size_t, void* context) {
          Code* found = static_cast<Code*>(context);
          for (int i = 0; i < info->dlpi_phnum; ++i) {
            const ElfW(Phdr)& segment = info->dlpi_phdr[i];
            if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
            found->start = info->dlpi_addr + segment.p_vaddr;
            found->end = found->start + segment.p_memsz;
          }
          return 1;
        },
        &code);
    DeclareOwnCode(code.start, code.end);
    const Capture cut = CaptureHere();
    ASSERT_FALSE(cut.frames.empty());
    EXPECT_FALSE(IsOwnCode(cut.frames[0]));
    EXPECT_FALSE(cut.truncated);
    EXPECT_LT(cut.frames.size(), whole.frames.size());
    EXPECT_EQ(cut.frames.back(), whole.frames.back());
  });
}

int CompareInside(void* result) {
  *static_cast<Comparison*>(result) = Compare();
  return 0;
}

// Another library where one was: what the unwinder remembers of the code there is no longer true.
TEST(StackCapture, ThroughAnotherLibraryAtTheSamePlace) {
  InFreshProcess([] {
    ASSERT_TRUE(LoadUnwinder());
    void* place = nullptr;
    for (int round = 0; round < 6; ++round) {
      void* library = dlopen(round % 2 == 0 ? CODE_LIBRARY_A : CODE_LIBRARY_B, RTLD_NOW);
      ASSERT_NE(library, nullptr) << dlerror();
      const auto call = reinterpret_cast<int (*)(int (*)(void*), void*)>(dlsym(library, "CodeLibraryCall"));
      if (place == nullptr) place = reinterpret_cast<void*>(call);
      ASSERT_EQ(reinterpret_cast<void*>(call), place);
      Comparison result;
      for (int i = 0; i < 3; ++i) {
        call(CompareInside, &result);
        ExpectEqual(result);
      }
      dlclose(library);
      ForgetUnloadedCode();
    }
  });
}

}  // namespace
}  // namespace mallocspy
