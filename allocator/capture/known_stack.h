// A thread's stack as it stood at its last capture, so that the next one need not be walked but only looked at again.
//
// Each frame is determined by the frame inside of it and a few words of memory: the return address and, where a frame further out needs
// it, the saved RBP. So if the innermost frame is one that was seen before, and the words that led outwards from it are what they
// were, then the whole stack is what it was. Words are compared from the inside outwards: what is compared belongs to the live
// stack as long as all before it were equal. From the first difference on frames are walked by their rules, until one is
// met that is known again. Nothing in the program is changed.
//
// Used by one thread at a time. Takes no lock itself; learning a new address does (unwinder.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/capture/frame_rule.h"
#include "allocator/capture/unwinder.h"

namespace mallocspy {

struct KnownFrame {
  FrameState state;  // bp: only if it matters
  FrameRule rule;
  uint64_t site;
  uint32_t node;     // the ledger's node of this frame and all outside; kept by the recorder
  uint32_t words;    // this many words vouch for the way from here to the outermost frame
  bool bp_matters;   // this frame's RBP decides where it or a frame further out is found
};

class KnownStack {
 public:
  enum class Outcome {
    kWhole,
    kTruncated,  // frames nearer to main are missing: too deep, or no call frame information
    kUnusual,    // it cannot be walked by rules; nothing is known now
  };

  // In zeroed memory of BytesFor(limit) bytes.
  static size_t BytesFor(uint32_t limit);
  void SetLimit(uint32_t limit);

  // Makes this the stack that goes on at `innermost`, with at most `limit` frames. `own` is the thread's own stack.
  Outcome Follow(FrameState innermost, StackBounds own);

  // After Follow(): frame 0 is the outermost, frame depth() - 1 the innermost; the first kept() ones are those of before, with
  // their nodes.
  uint32_t depth() const { return depth_; }
  uint32_t kept() const { return kept_; }
  KnownFrame& frame(uint32_t index) { return frames()[index]; }

  void Forget() { depth_ = 0; }

 private:
  struct Word {
    uintptr_t address;
    uintptr_t value;
  };

  KnownFrame* frames() { return reinterpret_cast<KnownFrame*>(this + 1); }
  KnownFrame* fresh() { return frames() + limit_; }
  Word* words() { return reinterpret_cast<Word*>(fresh() + limit_ + 1); }

  // The outermost frame that is as it was, seen from frame `innermost`; UINT32_MAX if all of them are.
  uint32_t FirstChanged(uint32_t innermost);
  bool IsReadable(uintptr_t address, uintptr_t sp);
  bool Load(uintptr_t address, uintptr_t sp, uintptr_t* value);
  bool Step(const FrameRule& rule, FrameState* state);
  // False if there are as many as may be.
  bool PushFresh(const FrameState& state, const FrameRule& rule, uint64_t site);
  void Append(uint32_t kept);

  uint32_t limit_;
  uint32_t depth_;
  uint32_t kept_;
  uint32_t fresh_count_;
  bool cut_;        // the outermost frame is not the end: the stack was deeper than the limit
  bool end_known_;  // the outermost frame is where the stack begins
  bool passing_;    // what was walked must not be believed the next time
  uint64_t epoch_;
  StackBounds bounds_;      // of the stack that is being walked: the thread's own or, on another, what was found readable
  bool on_own_stack_;
  StackBounds foreign_;
};

}  // namespace mallocspy
