#include "allocator/capture/known_stack.h"

#include <sys/uio.h>

#include "allocator/ledger/module_table.h"
#include "allocator/system/initial_stack.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/raw_syscall.h"
#include "allocator/system/signals_blocked.h"

namespace mallocspy {
namespace {

constexpr uint32_t kNone = UINT32_MAX;

// No frame of a stack that is not the thread's own may be larger, bytes.
constexpr uintptr_t kLargestForeignFrame = 256 * 1024;

bool IsPageReadable(uintptr_t page) {
  char byte;
  const iovec to = {&byte, 1};
  const iovec from = {reinterpret_cast<void*>(page), 1};
  return RawSyscall(SYS_process_vm_readv, RawSyscall(SYS_getpid), &to, 1, &from, 1, 0) == 1;
}

// What is known of `address`, asking for it if need be; with `remember` for the next time, too. Learning wants all signals blocked;
// once for a whole walk is enough.
CallSite CallSiteOf(uintptr_t address, bool remember, SignalsBlockedOnDemand* signals) {
  CallSite call_site = {};
  if (remember && g_call_sites.Find(address, &call_site)) return call_site;
  signals->Block();
  call_site = {LearnRule(address), ledger::g_modules.SiteOf(address)};
  const bool in_module = call_site.site >> ledger::kSiteModuleShift != 0;
  if (remember && in_module && call_site.rule.kind != FrameRule::kUnknown) g_call_sites.Add(address, call_site);
  return call_site;
}

}  // namespace

size_t KnownStack::BytesFor(uint32_t limit) {
  // At most three words to a frame: the return address, where the CFA was found, the saved RBP.
  return sizeof(KnownStack) + (2 * size_t{limit} + 1) * sizeof(KnownFrame) + 3 * size_t{limit} * sizeof(StackWord);
}

void KnownStack::SetLimit(uint32_t limit) {
  limit_ = limit;
  depth_ = 0;
}

bool KnownStack::IsReadable(uintptr_t address, uintptr_t sp) {
  if (address < sp || address % sizeof(uintptr_t) != 0) return false;
  if (address + sizeof(uintptr_t) <= bounds_.high) return true;
  if (on_own_stack_ || address - bounds_.high > kLargestForeignFrame) return false;
  while (bounds_.high <= address) {
    if (!IsPageReadable(bounds_.high)) return false;
    bounds_.high += kPageBytes;
  }
  foreign_ = bounds_;
  return true;
}

MALLOCSPY_READS_STACKS bool KnownStack::Load(uintptr_t address, uintptr_t sp, uintptr_t* value) {
  if (!IsReadable(address, sp)) return false;
  *value = WordAt(address);
  return true;
}

// False if the rule leads to where it cannot lead.
bool KnownStack::Step(const FrameRule& rule, FrameState* state) {
  const FrameState from = *state;
  uintptr_t cfa;
  if (rule.kind == FrameRule::kFromSp) {
    cfa = from.sp + static_cast<uintptr_t>(rule.cfa_offset);
  } else if (rule.kind == FrameRule::kFromBp) {
    cfa = from.bp + static_cast<uintptr_t>(rule.cfa_offset);
  } else if (!Load(from.bp + static_cast<uintptr_t>(rule.cfa_offset), from.sp, &cfa)) {
    return false;
  }
  if (cfa <= from.sp || !Load(cfa - sizeof(uintptr_t), from.sp, &state->pc)) return false;
  state->sp = cfa;
  return rule.bp_place == FrameRule::kBpKept || Load(rule.BpAddress(from.bp, cfa), from.sp, &state->bp);
}

uint32_t KnownStack::FirstChanged(uint32_t innermost) {
  const uint32_t count = CountSameWords(words(), frames()[innermost].words, on_own_stack_);
  if (count == 0) return kNone;
  uint32_t frame = innermost;
  while (frames()[frame - 1].words >= count) --frame;
  return frame;
}

bool KnownStack::PushFresh(const FrameState& state, const FrameRule& rule, uint64_t site) {
  if (fresh_count_ == limit_) return false;
  KnownFrame& frame = fresh()[fresh_count_++];
  frame.state = state;
  frame.rule = rule;
  frame.site = site;
  return true;
}

// The fresh frames, which go from the inside outwards, on top of the kept ones.
void KnownStack::Append(uint32_t kept) {
  kept_ = kept;
  depth_ = kept;
  while (fresh_count_ > 0) {
    KnownFrame& frame = frames()[depth_];
    frame = fresh()[--fresh_count_];
    frame.node = 0;
    frame.words = 0;
    frame.bp_matters = frame.rule.uses_bp();
    if (depth_ > 0) {
      const KnownFrame& outer = frames()[depth_ - 1];
      frame.words = outer.words;
      const auto add = [&](uintptr_t address, uintptr_t value) { words()[frame.words++] = {address, value}; };
      add(outer.state.sp - sizeof(uintptr_t), outer.state.pc);
      if (frame.rule.kind == FrameRule::kBehindBp) {
        add(frame.state.bp + static_cast<uintptr_t>(frame.rule.cfa_offset), outer.state.sp);
      }
      if (outer.bp_matters) {
        if (frame.rule.bp_place != FrameRule::kBpKept) {
          add(frame.rule.BpAddress(frame.state.bp, outer.state.sp), outer.state.bp);
        }
        if (frame.rule.bp_place != FrameRule::kBpAtCfa) frame.bp_matters = true;
      }
    }
    ++depth_;
  }
}

KnownStack::Outcome KnownStack::Follow(FrameState at, StackBounds own) {
  const uint64_t epoch = g_call_sites.epoch();
  if (epoch != epoch_ || passing_) depth_ = 0;
  epoch_ = epoch;
  const bool stable = CallSiteTable::IsStable(epoch);
  passing_ = !stable;
  on_own_stack_ = own.low <= at.sp && at.sp < own.high;
  if (!on_own_stack_ && (at.sp < foreign_.low || at.sp >= foreign_.high)) {
    foreign_.low = at.sp & ~(kPageBytes - 1);
    foreign_.high = foreign_.low + kPageBytes;
  }
  bounds_ = on_own_stack_ ? own : foreign_;
  fresh_count_ = 0;

  SignalsBlockedOnDemand signals;
  uint32_t met = depth_;  // frames below it may yet be met
  for (;;) {
    while (met > 0 && frames()[met - 1].state.sp < at.sp) --met;
    const KnownFrame* known = met > 0 ? &frames()[met - 1] : nullptr;
    if (known != nullptr && known->state.sp == at.sp && known->state.pc == at.pc &&
        (!known->bp_matters || known->state.bp == at.bp)) {
      uint32_t outermost_same = FirstChanged(met - 1);
      if (outermost_same == kNone) {
        const bool as_before = fresh_count_ == 0 && met == depth_;
        if (as_before || (!cut_ && met + fresh_count_ <= limit_)) {
          Append(met);
          return end_known_ ? Outcome::kWhole : Outcome::kTruncated;
        }
        outermost_same = 0;  // how it goes on from there was not kept, or will not be
      }
      // The same frames, but the way out of the last of them is another one.
      bool room = true;
      while (room && met > outermost_same) {
        const KnownFrame& frame = frames()[--met];
        room = PushFresh(at, frame.rule, frame.site);
        if (room && !Step(frame.rule, &at)) {
          depth_ = 0;
          return Outcome::kUnusual;
        }
      }
      if (room) continue;
      cut_ = true;
      end_known_ = false;
      Append(0);
      return Outcome::kTruncated;
    }
    const CallSite call_site = CallSiteOf(at.pc, stable, &signals);
    if (!PushFresh(at, call_site.rule, call_site.site)) {
      cut_ = true;
      end_known_ = false;
      Append(0);
      return Outcome::kTruncated;
    }
    if (!call_site.rule.steps()) {
      if (call_site.rule.kind == FrameRule::kUnusual) {
        depth_ = 0;
        return Outcome::kUnusual;
      }
      passing_ = passing_ || call_site.rule.kind == FrameRule::kUnknown;
      cut_ = false;
      // The loader's first frame, which calls the constructors, has no rule.
      end_known_ = call_site.rule.kind == FrameRule::kOutermost || at.sp == InitialStackPointer();
      Append(0);
      return end_known_ ? Outcome::kWhole : Outcome::kTruncated;
    }
    if (!Step(call_site.rule, &at)) {
      depth_ = 0;
      return Outcome::kUnusual;
    }
  }
}

}  // namespace mallocspy
