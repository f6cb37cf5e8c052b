// What a spy can ask about the call that led to it (malloc_spy.h).
#include <unistd.h>

#include <cerrno>

#include "allocator/heap_errors.h"
#include "allocator/interpose/export.h"
#include "allocator/ledger/ledger.h"
#include "allocator/marks.h"
#include "allocator/process.h"
#include "allocator/system/errno_keeper.h"
#include "allocator/thread_state.h"
#include "spy/malloc_spy.h"
#include "spy/spy_chain.h"

namespace mallocspy {
namespace {

using ledger::g_ledger;
using ledger::TableId;

// Where the stack that was captured for the call under way ends; 0 if there is none.
uint32_t NodeOfCall() {
  const ThreadState* thread = SpyChain::InSpy() ? ThisThread() : nullptr;
  return thread != nullptr && thread->prepared.kind == PreparedStack::kWhole ? thread->prepared.node : 0;
}

mallocspy_frame FrameOf(uint64_t site) {
  const uint64_t offset = site & ledger::kSiteOffsetMask;
  const uint64_t module = site >> ledger::kSiteModuleShift;
  if (module == 0) return {reinterpret_cast<const void*>(offset), nullptr, 0, offset};
  const ledger::Module& entry = *g_ledger.At<ledger::Module>(TableId::kModules, static_cast<uint32_t>(module));
  return {reinterpret_cast<const void*>(offset + entry.bias), g_ledger.At<char>(TableId::kStrings, entry.path.offset), entry.path.length,
          offset};
}

}  // namespace
}  // namespace mallocspy

extern "C" {

MALLOCSPY_DOOR size_t mallocspy_call_stack(uint32_t* id, mallocspy_frame* frames, size_t capacity) {
  using namespace mallocspy;
  uint32_t node = NodeOfCall();
  if (id != nullptr) *id = node;
  size_t depth = 0;
  while (node != 0) {
    const ledger::Node& entry = *g_ledger.At<ledger::Node>(TableId::kNodes, node);
    if (depth < capacity) frames[depth] = FrameOf(entry.site);
    ++depth;
    node = entry.parent;
  }
  return depth;
}

MALLOCSPY_DOOR void mallocspy_note_injected_failure(size_t bytes) {
  using namespace mallocspy;
  if (!SpyChain::InSpy()) return;
  const ErrnoKeeper keeper;
  const Event event;
  if (event.recording()) ReportInjectedFailure(bytes, NodeOfCall(), event.thread()->tid);
}

MALLOCSPY_DOOR pid_t mallocspy_fork_on() {
  if (!mallocspy::SpyChain::InSpy()) {
    errno = EPERM;
    return -1;
  }
  mallocspy::g_settings.fork_goes_on = true;
  const pid_t pid = _Fork();
  // The child adopts the record in its first event.
  if (pid != 0) mallocspy::g_settings.fork_goes_on = false;
  return pid;
}

MALLOCSPY_DOOR uint64_t mallocspy_current_mark() { return mallocspy::CurrentMark(); }

}  // extern "C"
