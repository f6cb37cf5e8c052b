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

MALLOCSPY_READS_STACKS inline uintptr_t StackWord(uintptr_t address) {
  return *reinterpret_cast<const volatile uintptr_t*>(address);
}

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

  // Whether the stack that goes on at `innermost` is the one that Follow() found last, from its first word to its last.
  bool IsUnchanged(const FrameState& innermost, StackBounds own) {
    if (depth_ == 0 || passing_ || epoch_ != g_call_sites.epoch() || innermost.sp < own.low || innermost.sp >= own.high) return false;
    const KnownFrame& known = frames()[depth_ - 1];
    if (known.state.sp != innermost.sp || known.state.pc != innermost.pc) return false;
    if (known.bp_matters && known.state.bp != innermost.bp) return false;
    return SameWords(known.words) == 0;
  }

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

  // Compares the innermost ones of `count` words, four at a time; how many are left when four are met that differ, or less than four are
  // left. On the thread's own stack only: all of them lie in memory that stays, so that some may be read too many.
  MALLOCSPY_READS_STACKS uint32_t SameFours(uint32_t count) {
    const Word* list = words();
    for (; count >= 4; count -= 4) {
      const Word* four = list + count - 4;
      const uintptr_t change = (StackWord(four[0].address) ^ four[0].value) | (StackWord(four[1].address) ^ four[1].value) |
                               (StackWord(four[2].address) ^ four[2].value) | (StackWord(four[3].address) ^ four[3].value);
      if (change != 0) break;
    }
    return count;
  }
  // How many words, from the outermost on, are left when the first one from the inside is met that differs.
  MALLOCSPY_READS_STACKS uint32_t SameWords(uint32_t count, bool fours = true) {
    if (fours) count = SameFours(count);
    const Word* list = words();
    while (count > 0 && StackWord(list[count - 1].address) == list[count - 1].value) --count;
    return count;
  }

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
