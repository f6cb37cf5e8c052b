#include "allocator/snapshot/page_faults.h"

#include <ucontext.h>

#include <csignal>
#include <cstdint>

#include "allocator/guarded_pages.h"
#include "allocator/heap_errors.h"
#include "allocator/page_guard.h"
#include "allocator/process.h"
#include "allocator/snapshot/fault_action.h"
#include "allocator/thread_state.h"

namespace mallocspy {
namespace {

using ledger::ErrorKind;

// Of a page fault's error code (Intel SDM, volume 3, 4.7).
constexpr uint64_t kWrites = 2;
constexpr uint64_t kFetches = 16;

ErrorKind KindOf(const GuardedPages::Place& place, int64_t offset, bool writes) {
  if (place.is_freed) return writes ? ErrorKind::kUseAfterFreeWrite : ErrorKind::kUseAfterFreeRead;
  if (offset < 0) return writes ? ErrorKind::kHeapUnderflow : ErrorKind::kHeapUnderflowRead;
  return writes ? ErrorKind::kHeapOverflow : ErrorKind::kHeapOverflowRead;
}

// Not from inside an event: where the recorder itself is interrupted, or has ended, the access is let through untold.
void Tell(const GuardedPages::Place& place, uintptr_t address, bool writes, const ucontext_t& where) {
  const Event event;
  if (!event.recording()) return;
  const auto offset = static_cast<int64_t>(address - reinterpret_cast<uintptr_t>(place.block));
  ReportTrap(KindOf(place, offset, writes), place, offset, where, event.thread());
}

bool Handle(siginfo_t* info, void* context_pointer) {
  if (!g_guarded_pages.Holds(info->si_addr)) return false;
  const uintptr_t address = reinterpret_cast<uintptr_t>(info->si_addr);
  GuardedPages::Place place;
  const GuardedPages::Fault fault = g_guarded_pages.Look(address, &place);
  if (fault != GuardedPages::Fault::kNear) return fault == GuardedPages::Fault::kAccessible;
  const ucontext_t& context = *static_cast<const ucontext_t*>(context_pointer);
  const auto error = static_cast<uint64_t>(context.uc_mcontext.gregs[REG_ERR]);
  Tell(place, address, (error & kWrites) != 0, context);
  if ((error & kFetches) != 0) return false;  // it would be no code, even were it there
  return g_guarded_pages.Open(address);
}

}  // namespace

void WatchPageFaults() {
  if (g_settings.guards_pages && TakeFaults(Handle)) g_page_guard.Arm();
}

}  // namespace mallocspy
