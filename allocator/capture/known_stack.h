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

#include "allocator/capture/call_site_table.h"
#include "allocator/capture/frame_rule.h"
#include "allocator/capture/unwinder.h"

// What is read so is the program's memory: sanitizers have nothing to say about it.
#define MALLOCSPY_READS_STACKS __attribute__((no_sanitize("address", "thread")))

namespace mallocspy {

MALLOCSPY_READS_STACKS inline uintptr_t WordAt(uintptr_t address) {
  return *reinterpret_cast<const volatile uintptr_t*>(address);
}

// A word of a stack, and what it was.
struct StackWord {
  uintptr_t address;
  uintptr_t value;
};

// Whether any of four words is not what it was.
MALLOCSPY_READS_STACKS inline bool DoFourDiffer(const StackWord* four) {
  const uintptr_t change = (WordAt(four[0].address) ^ four[0].value) | (WordAt(four[1].address) ^ four[1].value) |
                           (WordAt(four[2].address) ^ four[2].value) | (WordAt(four[3].address) ^ four[3].value);
  return change != 0;
}

// Compares words from the last of `count` to the first; how many are left when one is met that differs. With `fours`, for words that all
// lie in memory that stays, some more may be read than that.
MALLOCSPY_READS_STACKS inline uint32_t CountSameWords(const StackWord* list, uint32_t count, bool fours) {
  for (; fours && count >= 4; count -= 4) {
    if (DoFourDiffer(list + count - 4)) break;
  }
  while (count > 0 && WordAt(list[count - 1].address) == list[count - 1].value) --count;
  return count;
}

// Whether `count` words, a multiple of four, all in memory that stays, are what they were.
MALLOCSPY_READS_STACKS inline bool AreWordsSame(const StackWord* list, uint32_t count) {
  for (const StackWord* four = list; four != list + count; four += 4) {
    if (__builtin_expect(DoFourDiffer(four), 0)) return false;
  }
  return true;
}

struct KnownFrame {
  FrameState state;  // bp: only if it matters
  FrameRule rule;
  uint64_t site;
  uint64_t path;     // with `node`: ledger::StackTable::PathOf() the frame; both kept by the recorder
  uint32_t node;     // the ledger's node of this frame and all outside
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

  // What vouches for the whole stack, given its innermost frame.
  struct Evidence {
    const StackWord* list;
    uint32_t words;
    uint64_t epoch;
    bool lasting;  // on the thread's own stack, and to be believed later
  };
  Evidence evidence() { return {words(), frames()[depth_ - 1].words, epoch_, on_own_stack_ && !passing_}; }

  void Forget() { depth_ = 0; }

 private:
  KnownFrame* frames() { return reinterpret_cast<KnownFrame*>(this + 1); }
  KnownFrame* fresh() { return frames() + limit_; }
  StackWord* words() { return reinterpret_cast<StackWord*>(fresh() + limit_ + 1); }

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
