// A thread's known and recent stacks with their memory, and stacks in a form to compare.
#pragma once

#include <pthread.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <vector>

#include "allocator/capture/known_stack.h"
#include "allocator/capture/recent_stacks.h"
#include "spy/door_frame.h"

namespace mallocspy {

struct Capture {
  std::vector<uintptr_t> frames;  // innermost first
  bool whole = false;
  bool operator==(const Capture&) const = default;
};

inline StackBounds ThisStack() {
  pthread_attr_t attributes;
  void* low = nullptr;
  size_t bytes = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return {0, 0};
  pthread_attr_getstack(&attributes, &low, &bytes);
  pthread_attr_destroy(&attributes);
  return {reinterpret_cast<uintptr_t>(low), reinterpret_cast<uintptr_t>(low) + bytes};
}

class FollowedStack {
 public:
  explicit FollowedStack(uint32_t limit = 1000, StackBounds own = ThisStack())
      : limit_(limit), own_(own), memory_(std::calloc(1, KnownStack::BytesFor(limit))) {
    known().SetLimit(limit);
  }
  ~FollowedStack() { std::free(memory_); }
  FollowedStack(const FollowedStack&) = delete;
  FollowedStack& operator=(const FollowedStack&) = delete;

  KnownStack& known() { return *static_cast<KnownStack*>(memory_); }

  // Of the caller of the function with this frame; `outcome` as it was.
  Capture Follow(const DoorFrame* frame) {
    outcome = known().Follow(StateAt(frame), own_);
    Capture capture;
    capture.whole = outcome == KnownStack::Outcome::kWhole;
    if (outcome == KnownStack::Outcome::kUnusual) return capture;
    for (uint32_t i = known().depth(); i-- > 0;) capture.frames.push_back(known().frame(i).state.pc);
    return capture;
  }

  // Stacks are numbered by what they are.
  uint32_t NumberOf(const Capture& capture) {
    return numbers_.try_emplace(capture.frames, static_cast<uint32_t>(numbers_.size() + 1)).first->second;
  }
  uint32_t FindRecent(const DoorFrame* frame) {
    const RecordedStack* stack = recent_->Find(StateAt(frame), Door::kMalloc);
    return stack != nullptr ? stack->number : 0;
  }
  void KeepRecent(const Capture& capture) {
    if (capture.whole) recent_->Keep(&known(), Door::kMalloc, {NumberOf(capture), nullptr});
  }

  // The same stack by libunwind alone.
  Capture Unwind(const DoorFrame* frame) {
    Capture capture;
    capture.frames.resize(limit_);
    const UnwoundStack unwound = UnwindStack(capture.frames.data(), limit_, StateAt(frame).sp, own_);
    capture.frames.resize(unwound.depth);
    capture.whole = unwound.whole;
    return capture;
  }

  KnownStack::Outcome outcome = KnownStack::Outcome::kUnusual;

 private:
  uint32_t limit_;
  StackBounds own_;
  void* memory_;
  std::unique_ptr<RecentStacks> recent_{new RecentStacks()};
  std::map<std::vector<uintptr_t>, uint32_t> numbers_;
};

}  // namespace mallocspy
