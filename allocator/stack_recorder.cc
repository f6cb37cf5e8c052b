#include "allocator/stack_recorder.h"

#include "allocator/capture/capture_check.h"
#include "allocator/capture/unwinder.h"
#include "allocator/ledger/module_table.h"
#include "allocator/ledger/stack_table.h"
#include "allocator/process.h"
#include "allocator/system/errno_keeper.h"

namespace mallocspy {
namespace {

struct Ending {
  uint32_t node;
  uint32_t depth;
  bool truncated;
};

Ending OnlyCaller(ThreadState* thread, uintptr_t return_address) {
  thread->frames[0] = ledger::g_modules.SiteOfKnown(return_address);
  return {ledger::g_stacks.InternNode(thread->frames, 1), 1, true};
}

// The new frames get their nodes; the kept ones have theirs.
Ending InternKnown(KnownStack* known, bool truncated) {
  const uint32_t depth = known->depth();
  uint32_t node = 0;
  uint64_t path = 0;
  if (known->kept() != 0) {
    node = known->frame(known->kept() - 1).node;
    path = known->frame(known->kept() - 1).path;
  }
  for (uint32_t i = known->kept(); i < depth; ++i) {
    path = ledger::StackTable::PathOf(path, known->frame(i).site);
    known->frame(i).path = path;
    ledger::g_stacks.Prefetch(path);
  }
  for (uint32_t i = known->kept(); i < depth; ++i) {
    node = ledger::g_stacks.Child(node, known->frame(i).site, known->frame(i).path);
    if (node == 0) {
      known->Forget();
      break;
    }
    known->frame(i).node = node;
  }
  return {node, depth, truncated};
}

// The frames are in the thread's buffer.
Ending InternUnwound(ThreadState* thread, const UnwoundStack& stack) {
  static_assert(sizeof(uintptr_t) == sizeof(uint64_t));
  for (uint32_t i = 0; i < stack.depth; ++i) thread->frames[i] = ledger::g_modules.SiteOf(thread->frames[i]);
  return {ledger::g_stacks.InternNode(thread->frames, stack.depth), stack.depth, !stack.whole};
}

Ending Unwind(ThreadState* thread, const FrameState& from, uint32_t limit) {
  const UnwoundStack stack = UnwindStack(thread->frames, limit, from.sp, {thread->stack_low, thread->stack_high});
  return stack.depth == 0 ? OnlyCaller(thread, from.pc) : InternUnwound(thread, stack);
}

__attribute__((noinline)) void Check(ThreadState* thread, const FrameState& from, bool whole, uint32_t limit) {
  if (++thread->captures % ProcessOptions().check_capture != 0) return;
  CheckCapture(thread->known, whole, from.sp, {thread->stack_low, thread->stack_high}, thread->frames, limit);
}

Ending Capture(ThreadState* thread, const FrameState& from) {
  const uint32_t limit = static_cast<uint32_t>(ProcessOptions().stack_depth);
  const ErrnoKeeper keeper;
  thread->capturing = true;
  const KnownStack::Outcome outcome = thread->known->Follow(from, {thread->stack_low, thread->stack_high});
  Ending ending;
  if (__builtin_expect(outcome == KnownStack::Outcome::kUnusual, 0)) {
    ending = Unwind(thread, from, limit);
  } else {
    const bool whole = outcome == KnownStack::Outcome::kWhole;
    if (__builtin_expect(g_settings.checks_captures, 0)) Check(thread, from, whole, limit);
    ending = InternKnown(thread->known, !whole);
  }
  thread->capturing = false;
  return ending;
}

// Where the current stack ends in the ledger's tree.
PreparedStack CurrentStack(ThreadState* thread) {
  if (thread->prepared.kind == PreparedStack::kWhole) return thread->prepared;
  if (thread->prepared.kind == PreparedStack::kCallerOnly) {
    const Ending ending = OnlyCaller(thread, reinterpret_cast<uintptr_t>(thread->prepared.caller));
    return {PreparedStack::kWhole, true, 1, ending.node, nullptr};
  }
  const Ending ending = Capture(thread, StateAt(thread->frame != nullptr ? thread->frame : MALLOCSPY_DOOR_FRAME()));
  return {PreparedStack::kWhole, ending.truncated, static_cast<uint16_t>(ending.depth), ending.node, nullptr};
}

RecordedStack Record(ThreadState* thread, Door door) {
  const PreparedStack stack = CurrentStack(thread);
  if (stack.truncated) ledger::g_ledger.header().truncated.fetch_add(1, std::memory_order_relaxed);
  if (stack.node == 0 && stack.depth != 0) return {};
  const uint32_t number =
      ledger::g_stacks.InternStack(stack.node, door, stack.truncated ? ledger::kStackTruncated : 0, stack.depth);
  if (number == 0) return {};
  const RecordedStack recorded = {number, thread->counters.Of(number)};
  if (thread->prepared.kind == PreparedStack::kNone && !stack.truncated && thread->known->depth() != 0 && recorded.counters != nullptr) {
    thread->recent->Keep(thread->known, door, recorded);
  }
  return recorded;
}

}  // namespace

uint32_t RecordStack(ThreadState* thread, Door door) { return Record(thread, door).number; }

RecordedStack CaptureStack(ThreadState* thread, Door door, const DoorFrame* frame) {
  if (!IsRecorded(door)) return {};
  thread->frame = frame;
  return Record(thread, door);
}

void CheckRecentStack(ThreadState* thread, Door door, uint32_t stack) {
  const uint32_t recorded = RecordStack(thread, door);
  if (recorded == stack) return;
  CaptureDiffers("a stack that was recorded lately", stack, "the stack as it is", recorded);
}

uint32_t RecordPlace(ThreadState* thread) { return CurrentStack(thread).node; }

uint32_t RecordInterrupted(ThreadState* thread, const ucontext_t& context) {
  if (IsInUnwinder()) return 0;
  const ErrnoKeeper keeper;
  thread->capturing = true;
  const UnwoundStack stack = UnwindInterrupted(thread->frames, static_cast<uint32_t>(ProcessOptions().stack_depth), context,
                                               {thread->stack_low, thread->stack_high});
  thread->capturing = false;
  return stack.depth == 0 ? 0 : InternUnwound(thread, stack).node;
}

StackPreparation::StackPreparation(const DoorFrame* frame, bool caller_only) {
  const ErrnoKeeper keeper;
  const Event event;
  ThreadState* thread = event.thread();
  if (thread == nullptr) return;
  before_ = thread->prepared;
  thread->prepared = {PreparedStack::kCallerOnly, true, 1, 0, frame != nullptr ? frame->return_address : nullptr};
  if (caller_only) return;
  thread->prepared.kind = PreparedStack::kNone;
  thread->frame = frame;
  thread->prepared = CurrentStack(thread);
}

StackPreparation::~StackPreparation() {
  if (ThreadState* thread = ThisThread(); thread != nullptr) thread->prepared = before_;
}

}  // namespace mallocspy
