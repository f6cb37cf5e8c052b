#include "googletest/failing_allocations.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "allocator/heap_check.h"
#include "allocator/leak_check.h"
#include "googletest/leak_report.h"
#include "spy/malloc_spy.h"

namespace mallocspy {
namespace {

// What a thread that runs a statement waits for.
struct Countdown {
  size_t left;    // allocations until the one that fails; 0: none fails
  bool happened;  // it has failed
  size_t bytes;   // that it asked for
  mallocspy_frame frames[24];
  size_t frame_count;
};
thread_local Countdown countdown;

SIZE_T Answer(SIZE_T bytes) {
  if (countdown.left == 0 || bytes == 0 || --countdown.left != 0) return bytes;
  countdown.happened = true;
  countdown.bytes = bytes;
  constexpr size_t kFrames = sizeof(countdown.frames) / sizeof(countdown.frames[0]);
  countdown.frame_count = std::min(mallocspy_call_stack(nullptr, countdown.frames, kFrames), kFrames);
  mallocspy_note_injected_failure(bytes);
  return 0;
}

SIZE_T PreAlloc(void*, SIZE_T bytes) { return Answer(bytes); }
// The library frees what goes down to 0 bytes; that is no allocation.
SIZE_T PreRealloc(void*, void* request, SIZE_T bytes, void** new_request, BOOL) {
  *new_request = request;
  return Answer(bytes);
}

constexpr mallocspy_hooks MakeHooks() {
  mallocspy_hooks hooks = {};
  hooks.pre_alloc = PreAlloc;
  hooks.pre_realloc = PreRealloc;
  return hooks;
}
constexpr mallocspy_hooks kHooks = MakeHooks();

// In the chain while it lives. Blocks that a statement leaves behind, in some cache, keep it there longer, so that each use needs a context of
// its own.
class InChain {
 public:
  InChain() : context_(reinterpret_cast<void*>(++uses)), added_(mallocspy_add_hooks(&kHooks, context_, MALLOCSPY_SEE_MALLOC)) {}
  ~InChain() {
    if (added_ == S_OK) mallocspy_remove_hooks(&kHooks, context_);
  }
  InChain(const InChain&) = delete;
  InChain& operator=(const InChain&) = delete;

  HRESULT added() const { return added_; }

 private:
  static std::atomic<uintptr_t> uses;

  void* const context_;
  const HRESULT added_;
};

std::atomic<uintptr_t> InChain::uses{0};

class IgnoreScope {
 public:
  IgnoreScope() { mallocspy_ignore_begin(); }
  ~IgnoreScope() { mallocspy_ignore_end(); }
  IgnoreScope(const IgnoreScope&) = delete;
  IgnoreScope& operator=(const IgnoreScope&) = delete;
};

// "allocation 3 failed, of 24 bytes, at\n    #0 Parse parser.cc:31\n..."
std::string WhatFailed(size_t number) {
  std::vector<uint64_t> offsets;
  for (size_t i = 0; i < countdown.frame_count; ++i) offsets.push_back(countdown.frames[i].offset);
  return "allocation " + std::to_string(number) + " failed, of " + std::to_string(countdown.bytes) +
         (countdown.bytes == 1 ? " byte" : " bytes") + ", at\n" + InjectedFailureStack(offsets);
}

// How the statement went in which allocation `number` was to fail; empty if well.
std::string DoOnce(const FailureLimits& limits, size_t number, bool heap_was_whole, const std::function<void()>& statement) {
  const uint64_t since = mallocspy_mark();
  if (since == 0) return "no allocation can fail: the process has no record of mallocspy";
  std::string problem;
  countdown.happened = false;
  countdown.left = number;
  try {
    statement();
    countdown.left = 0;
  } catch (const std::bad_alloc&) {
    countdown.left = 0;
    if (!countdown.happened) problem = "std::bad_alloc came out of the statement, though no allocation had failed";
  } catch (const std::exception& exception) {
    countdown.left = 0;
    problem = std::string("an exception came out of the statement: ") + exception.what();
  } catch (...) {
    countdown.left = 0;
    problem = "an exception came out of the statement";
  }
  const IgnoreScope scope;
  if (problem.empty()) problem = LeaksBeyond(limits.leaks, since, __builtin_frame_address(0));
  if (problem.empty() && heap_was_whole && mallocspy_check_heap() != MALLOCSPY_HEAP_OK) {
    problem = "the heap is damaged (mallocspy_check_heap); the report at the end says where";
  }
  if (problem.empty()) return problem;
  return countdown.happened ? WhatFailed(number) + "and then: " + problem : "no allocation failed, but: " + problem;
}

}  // namespace

testing::AssertionResult TakesFailures(const FailureLimits& limits, const std::function<void()>& statement) {
  // What is made but once, and kept, is made here.
  for (int i = 0; i < std::max(limits.leaks.warm_up, 1); ++i) statement();
  const bool heap_was_whole = mallocspy_check_heap() == MALLOCSPY_HEAP_OK;  // what damaged it before is another's fault
  const InChain in_chain;
  if (in_chain.added() != S_OK) {
    return testing::AssertionFailure() << "no allocation can be made to fail: there are 8 spies, or earlier statements left blocks behind";
  }
  for (size_t number = std::max<size_t>(limits.first, 1); number - limits.first < limits.most; ++number) {
    const std::string problem = DoOnce(limits, number, heap_was_whole, statement);
    if (!problem.empty()) return testing::AssertionFailure() << problem;
    if (!countdown.happened) return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "the statement still allocates in run " << limits.most << "; raise FailureLimits::most";
}

}  // namespace mallocspy
