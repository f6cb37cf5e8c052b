#include "allocator/stack_recorder.h"

#include "allocator/capture/stack_capture.h"
#include "allocator/ledger/module_table.h"
#include "allocator/ledger/stack_table.h"
#include "allocator/process.h"
#include "allocator/system/errno_keeper.h"
#include "spy/spy_thread.h"

namespace mallocspy {
namespace {

// Turns the return addresses into sites, in place, through the thread's own cache.
void ToSites(ThreadState* thread, uint32_t depth) {
  const uint32_t generation = ledger::g_modules.generation();
  if (thread->site_generation != generation) {
    for (CachedSite& slot : thread->sites) slot.return_address = 0;
    thread->site_generation = generation;
  }
  for (uint32_t i = 0; i < depth; ++i) {
    const uintptr_t address = thread->frames[i];
    CachedSite& slot = thread->sites[(address >> 1) % ThreadState::kSiteSlots];
    if (slot.return_address != address) slot = {address, ledger::g_modules.SiteOf(address)};
    thread->frames[i] = slot.site;
  }
}

CapturedStack CaptureSites(ThreadState* thread) {
  if (thread->prepared.kind == PreparedStack::kCallerOnly) {
    thread->frames[0] = ledger::g_modules.SiteOfKnown(reinterpret_cast<uintptr_t>(thread->prepared.caller));
    return {1, true};
  }
  const uint32_t limit = static_cast<uint32_t>(ProcessOptions().stack_depth);
  thread->capturing = true;
  const CapturedStack stack =
      CaptureStack(thread->frames, limit, {thread->stack_low, thread->stack_high}, spy_thread.caller);
  thread->capturing = false;
  static_assert(sizeof(uintptr_t) == sizeof(uint64_t));
  ToSites(thread, stack.depth);
  return stack;
}

// Where the current stack ends in the ledger's tree.
PreparedStack CurrentStack(ThreadState* thread) {
  if (thread->prepared.kind == PreparedStack::kWhole) return thread->prepared;
  const CapturedStack stack = CaptureSites(thread);
  const uint32_t node = ledger::g_stacks.InternNode(thread->frames, stack.depth);
  return {PreparedStack::kWhole, stack.truncated, static_cast<uint16_t>(stack.depth), node, nullptr};
}

}  // namespace

uint32_t RecordStack(ThreadState* thread, Door door) {
  const PreparedStack stack = CurrentStack(thread);
  if (stack.truncated) ledger::g_ledger.header().truncated.fetch_add(1, std::memory_order_relaxed);
  if (stack.node == 0 && stack.depth != 0) return 0;
  return ledger::g_stacks.InternStack(stack.node, door, stack.truncated ? ledger::kStackTruncated : 0, stack.depth);
}

uint32_t RecordPlace(ThreadState* thread) { return CurrentStack(thread).node; }

StackPreparation::StackPreparation(const void* caller, bool caller_only) {
  const ErrnoKeeper keeper;
  const Event event;
  ThreadState* thread = event.thread();
  if (thread == nullptr) return;
  before_ = thread->prepared;
  thread->prepared = {PreparedStack::kCallerOnly, true, 1, 0, caller};
  if (caller_only) return;
  thread->prepared.kind = PreparedStack::kNone;
  thread->prepared = CurrentStack(thread);
}

StackPreparation::~StackPreparation() {
  if (ThreadState* thread = ThisThread(); thread != nullptr) thread->prepared = before_;
}

}  // namespace mallocspy
