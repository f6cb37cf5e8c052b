#include "allocator/interpose/ending_status.h"

#include <atomic>
#include <cstdlib>

#include "allocator/snapshot/ending.h"

namespace mallocspy {
namespace {

constinit std::atomic<int> quick_exit_status{0};

void OnExit(int status, void*) { EndRecord(ledger::End::kExit, status & 0xff); }
void OnQuickExit() { EndRecord(ledger::End::kExit, quick_exit_status.load(std::memory_order_relaxed) & 0xff); }

}  // namespace

void NoteQuickExit(int status) { quick_exit_status.store(status, std::memory_order_relaxed); }

void WatchExit() {
  on_exit(OnExit, nullptr);
  at_quick_exit(OnQuickExit);
}

}  // namespace mallocspy
