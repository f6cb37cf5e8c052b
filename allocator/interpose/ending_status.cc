#include "allocator/interpose/ending_status.h"

#include <atomic>
#include <cstdlib>

#include "allocator/capture/unwinder.h"
#include "allocator/ledger/ledger.h"
#include "allocator/snapshot/ending.h"
#include "allocator/snapshot/roots.h"
#include "allocator/system/raw_syscall.h"
#include "allocator/thread_state.h"

// LeakSanitizer's, of the program (sanitizer/lsan_interface.h): 1 if there is to be no check at the end.
extern "C" __attribute__((weak)) int __lsan_is_turned_off();

namespace mallocspy {
namespace {

void AskProgram() {
  if (__lsan_is_turned_off != nullptr && __lsan_is_turned_off() != 0) ledger::g_ledger.header().leaks_off = 1;
}

constinit std::atomic<int> quick_exit_status{0};

// Where exit() was called, by whom. Whoever ends otherwise has returned from its first function: nothing of its stack is in use.
constinit ProgramPoint exit_point = {};

void OnExit(int status, void*) {
  const uint32_t tid = static_cast<uint32_t>(RawSyscall(SYS_gettid));
  ProgramPoint point = {tid, StackBoundsOf(tid).high, 0, 0};
  if (exit_point.tid == tid) point = exit_point;
  NoteStaticTls();  // exit() will want the loader's lock, too
  AskProgram();
  EndRecord(ledger::End::kExit, status & 0xff, point.sp != 0 ? &point : nullptr);
}
void OnQuickExit() {
  AskProgram();
  EndRecord(ledger::End::kExit, quick_exit_status.load(std::memory_order_relaxed) & 0xff);
}

}  // namespace

void NoteExit(const ProgramPoint& point) { exit_point = point; }
void NoteQuickExit(int status) { quick_exit_status.store(status, std::memory_order_relaxed); }

void WatchExit() {
  on_exit(OnExit, nullptr);
  at_quick_exit(OnQuickExit);
}

}  // namespace mallocspy
