// What the parts of an event cost by themselves: the capture of a stack, the live map, a thread's counters; and a whole
// allocation with its free, beside glibc's alone.
//
// The argument is the number of recursive frames above the benchmark's own; `frames` says how many there are in all.
// `Unchanged` captures again from the call that it captured from; `NextSite` takes turns between two calls of the
// innermost function; `NextCaller` between two of the one outside of it.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "allocator/capture/known_stack.h"
#include "allocator/capture/unwinder.h"
#include "allocator/ledger/ledger.h"
#include "allocator/ledger/live_map.h"
#include "allocator/ledger/thread_counters.h"
#include "allocator/process.h"
#include "allocator/wrapping_allocator.h"
#include "spy/door_frame.h"
#include "spy/heap.h"
#include "tests/allocator/capture/followed_stack.h"

namespace mallocspy {
namespace {

constexpr uint32_t kLimitFrames = 512;

struct CaptureRun {
  benchmark::State* state;
  KnownStack* known;
  StackBounds bounds;
  uint64_t whole = 0;
  uint32_t frames = 0;
};

// Stands for a door: what it captures is the stack of its caller.
__attribute__((noinline)) void CaptureCaller(CaptureRun* run) {
  if (run->known->Follow(StateAt(MALLOCSPY_DOOR_FRAME()), run->bounds) == KnownStack::Outcome::kWhole) ++run->whole;
}

__attribute__((noinline)) void CaptureFromOnePlace(CaptureRun* run) {
  CaptureCaller(run);
  asm volatile("" ::: "memory");
}

using Loop = void (*)(CaptureRun*);

void LoopUnchanged(CaptureRun* run) {
  for (auto _ : *run->state) CaptureCaller(run);
}

void LoopNextSite(CaptureRun* run) {
  while (run->state->KeepRunningBatch(2)) {
    CaptureCaller(run);
    asm volatile("" ::: "memory");
    CaptureCaller(run);
  }
}

void LoopNextCaller(CaptureRun* run) {
  while (run->state->KeepRunningBatch(2)) {
    CaptureFromOnePlace(run);
    asm volatile("" ::: "memory");
    CaptureFromOnePlace(run);
  }
}

__attribute__((noinline)) void Descend(int64_t frames, Loop loop, CaptureRun* run) {
  if (frames <= 1) {
    loop(run);
  } else {
    Descend(frames - 1, loop, run);
  }
  asm volatile("" ::: "memory");  // no tail call
}

void BM_Capture(benchmark::State& state, Loop loop) {
  void* memory = calloc(1, KnownStack::BytesFor(kLimitFrames));
  CaptureRun run = {&state, static_cast<KnownStack*>(memory), ThisStack()};
  run.known->SetLimit(kLimitFrames);
  Descend(state.range(0), loop, &run);
  if (run.whole < static_cast<uint64_t>(state.iterations())) state.SkipWithError("a stack was not captured whole");
  state.counters["frames"] = run.frames != 0 ? run.frames : run.known->depth();
  free(memory);
}
BENCHMARK_CAPTURE(BM_Capture, Unchanged, LoopUnchanged)->Arg(8)->Arg(20)->Arg(60)->Arg(200);
BENCHMARK_CAPTURE(BM_Capture, NextSite, LoopNextSite)->Arg(8)->Arg(20)->Arg(60)->Arg(200);
BENCHMARK_CAPTURE(BM_Capture, NextCaller, LoopNextCaller)->Arg(8)->Arg(20)->Arg(60)->Arg(200);

// The same by libunwind alone: what a capture costs without a memory of the last one.
__attribute__((noinline)) void UnwindCaller(uintptr_t* frames, CaptureRun* run) {
  const UnwoundStack stack =
      UnwindStack(frames, kLimitFrames, reinterpret_cast<uintptr_t>(MALLOCSPY_DOOR_FRAME() + 1), run->bounds);
  run->frames = stack.depth;
  if (stack.whole) ++run->whole;
}
void LoopUnwind(CaptureRun* run) {
  uintptr_t frames[kLimitFrames];
  for (auto _ : *run->state) UnwindCaller(frames, run);
}
BENCHMARK_CAPTURE(BM_Capture, Libunwind, LoopUnwind)->Arg(8)->Arg(20)->Arg(60)->Arg(200);

// An allocation as a door makes it, and its free.
__attribute__((noinline)) void AllocateAndFree(CaptureRun* run) {
  Request request;
  request.frame = MALLOCSPY_DOOR_FRAME();
  void* block = g_heap.Allocate(64, request);
  benchmark::DoNotOptimize(block);
  if (block != nullptr) ++run->whole;
  g_heap.Deallocate(block, request);
  asm volatile("" ::: "memory");
}

void EventUnchanged(CaptureRun* run) {
  for (auto _ : *run->state) AllocateAndFree(run);
}

void EventNextSite(CaptureRun* run) {
  while (run->state->KeepRunningBatch(2)) {
    AllocateAndFree(run);
    asm volatile("" ::: "memory");
    AllocateAndFree(run);
  }
}

void BM_Event(benchmark::State& state, Loop loop) {
  CaptureRun run = {&state, nullptr, {0, 0}};
  Descend(state.range(0), loop, &run);
  if (run.whole < static_cast<uint64_t>(state.iterations())) state.SkipWithError("an allocation failed");
}
BENCHMARK_CAPTURE(BM_Event, Unchanged, EventUnchanged)->Arg(8)->Arg(20)->Arg(60)->Arg(200);
BENCHMARK_CAPTURE(BM_Event, NextSite, EventNextSite)->Arg(8)->Arg(20)->Arg(60)->Arg(200);

void BM_GlibcAlone(benchmark::State& state) {
  for (auto _ : state) {
    void* block = malloc(64);
    benchmark::DoNotOptimize(block);
    free(block);
  }
}
BENCHMARK(BM_GlibcAlone);

// Blocks of 64 bytes, the argument is how many are live: made and freed in turn.
void BM_LiveMapSetAndClaim(benchmark::State& state) {
  constexpr uintptr_t kFirst = uintptr_t{0x100000000};
  constexpr uintptr_t kBlockBytes = 64;
  const auto blocks = static_cast<uintptr_t>(state.range(0));
  uintptr_t next = 0;
  for (auto _ : state) {
    const uintptr_t address = kFirst + next * kBlockBytes;
    benchmark::DoNotOptimize(ledger::g_live_map.SetLive(address));
    benchmark::DoNotOptimize(ledger::g_live_map.Claim(address));
    next = next + 1 == blocks ? 0 : next + 1;
  }
}
BENCHMARK(BM_LiveMapSetAndClaim)->Arg(1)->Arg(4096)->Arg(1 << 20);

constexpr uint32_t kStacks = 100000;

// Stacks of the ledger that nothing else counts; the first one of them.
uint32_t MakeStacks() {
  FutexLockHolder hold(ledger::g_ledger.lock());
  uint32_t first = 0;
  for (uint32_t i = 0; i < kStacks; ++i) {
    const uint32_t stack = ledger::g_ledger.Reserve(ledger::TableId::kStacks);
    ledger::g_ledger.Publish(ledger::TableId::kStacks, stack + 1);
    if (i == 0) first = stack;
  }
  return first;
}

ledger::Thread* MakeThread() {
  FutexLockHolder hold(ledger::g_ledger.lock());
  const uint32_t thread = ledger::g_ledger.Reserve(ledger::TableId::kThreads);
  ledger::g_ledger.Publish(ledger::TableId::kThreads, thread + 1);
  return ledger::g_ledger.At<ledger::Thread>(ledger::TableId::kThreads, thread);
}

// One allocation and one free of a thread, spread over so many stacks.
void BM_ThreadCounters(benchmark::State& state) {
  static const uint32_t first_stack = MakeStacks();
  static ledger::Thread* const record = MakeThread();
  static ledger::ThreadCounters counters = {};
  counters.Attach(record);
  const auto stacks = static_cast<uint32_t>(state.range(0));
  uint32_t random = 1;
  for (auto _ : state) {
    random = random * 1664525 + 1013904223;
    const uint32_t stack = first_stack + static_cast<uint32_t>((uint64_t{random} * stacks) >> 32);
    counters.CountAllocation(stack, 64);
    counters.CountFree(stack, 64);
  }
  counters.Detach();
}
BENCHMARK(BM_ThreadCounters)->Arg(1)->Arg(64)->Arg(kStacks);

}  // namespace
}  // namespace mallocspy

int main(int argc, char** argv) {
  if (!mallocspy::EnsureStarted() || !mallocspy::LoadUnwinder()) {
    fprintf(stderr,
            "micro_benchmark: the record could not be started, or libunwind is not installed (tools/dev setup)\n");
    return 1;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
