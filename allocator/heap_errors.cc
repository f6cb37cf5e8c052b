#include "allocator/heap_errors.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include <cstdlib>
#include <cstring>

#include "allocator/ledger/live_map.h"
#include "allocator/page_guard.h"
#include "allocator/process.h"
#include "allocator/stack_recorder.h"
#include "allocator/system/errno_keeper.h"
#include "allocator/system/raw_log.h"
#include "allocator/system/raw_syscall.h"
#include "allocator/system/wrapped_malloc.h"

namespace mallocspy {
namespace {

using ledger::BlockState;
using ledger::ErrorKind;
using ledger::g_ledger;
using ledger::g_live_map;
using ledger::TableId;

// How far below an interior pointer its block's start is looked for, bytes.
constexpr size_t kInteriorReach = size_t{256} << 20;

uint32_t NodeOfStack(uint32_t stack) { return g_ledger.At<ledger::Stack>(TableId::kStacks, stack)->node; }

// In the image of a loaded module: a global or a function.
bool IsInModule(uintptr_t address) {
  for (uint32_t i = 1, count = g_ledger.Count(TableId::kModules); i < count; ++i) {
    const ledger::Module* module = g_ledger.At<ledger::Module>(TableId::kModules, i);
    if (module->unloaded == 0 && module->start <= address && address < module->end) return true;
  }
  return false;
}

bool IsTraced() {
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, "/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (RawFailed(fd)) return false;
  char text[4096];
  const long size = RawSyscall(SYS_read, fd, text, sizeof(text) - 1);
  RawSyscall(SYS_close, fd);
  if (RawFailed(size)) return false;
  text[size] = '\0';
  constexpr char kKey[] = "TracerPid:\t";
  const char* tracer = std::strstr(text, kKey);
  return tracer != nullptr && tracer[sizeof(kKey) - 1] != '0';
}

// Returns when one is there and has let the program go on. Other threads run on until they allocate what waits for this one.
void WaitForDebugger() {
  while (!IsTraced()) {
    const timespec pause = {0, 100000000};
    RawSyscall(SYS_nanosleep, &pause, nullptr);
  }
  RawSyscall(SYS_tgkill, RawSyscall(SYS_getpid), RawSyscall(SYS_gettid), SIGTRAP);
}

// What on_error says, about an error that is new. Inside the event that met it.
void ActOnError(const ledger::ErrorReport& report) {
  const OptionText& action = ProcessOptions().on_error;
  if (action.Is("continue")) return;
  const long pid = RawSyscall(SYS_getpid);
  RawLine line(2);
  line.Text("mallocspy: ").Text(NameOf(report.kind)).Text(" at ").Hex(report.address).Text(" in thread ").Number(report.tid);
  line.Text(" of pid ").Number(static_cast<uint64_t>(pid));
  if (action.Is("abort")) {
    line.Text("; the program is aborted (on_error=abort)").End();
    std::abort();
  }
  line.Text("; it waits for a debugger (on_error=stop): gdb -p ").Number(static_cast<uint64_t>(pid)).End();
  WaitForDebugger();
}

}  // namespace

const void* BlockAround(uintptr_t address) {
  const uintptr_t start = g_live_map.LiveAtOrBelow(address, kInteriorReach);
  if (start == 0) return nullptr;
  const void* block = reinterpret_cast<const void*>(start);
  return IsSealed(HeaderOf(block)) && address - start < HeaderOf(block)->size ? block : nullptr;
}

bool FindDamage(const void* block, Damage* damage) {
  const BlockHeader header = *HeaderOf(block);
  if (!IsSealedAt(reinterpret_cast<uintptr_t>(HeaderOf(block)), header)) {
    *damage = {ErrorKind::kHeapUnderflow, block, {}, 0, 0};
    return true;
  }
  if (header.mark < g_settings.base_mark) return false;
  const size_t offset = FindOverflow(block, header);
  if (offset == 0) return false;
  *damage = {ErrorKind::kHeapOverflow, block, header, offset, 0};
  return true;
}

bool FindDamage(const Quarantine::Kept& kept, Damage* damage) {
  int64_t offset;
  // What a forked child found there is its parent's to tell.
  if (kept.base_mark != g_settings.base_mark || !IsWritten(kept, &offset)) return false;
  *damage = {ErrorKind::kUseAfterFreeWrite, kept.block, kept.header, static_cast<uint64_t>(offset), kept.freed};
  return true;
}

void ReportDamage(const Damage& damage, ThreadState* thread) {
  const ErrnoKeeper keeper;
  ledger::ErrorReport report{.kind = damage.kind, .by_sweep = true};
  report.address = reinterpret_cast<uintptr_t>(damage.block);
  report.value = damage.value;
  report.freed = damage.freed;
  if (damage.kind != ErrorKind::kHeapUnderflow) {
    report.block_door = static_cast<Door>(damage.header.door);
    report.size = damage.header.size;
    report.allocated = NodeOfStack(damage.header.stack);
  }
  if (thread != nullptr) {
    report.where = RecordPlace(thread);
    report.tid = thread->tid;
  }
  if (ledger::AddError(report) && thread != nullptr) ActOnError(report);
}

void ReportBlockError(ErrorKind kind, const void* block, const BlockHeader* header, Door used, uint64_t value,
                      ThreadState* thread, uint32_t freed) {
  const ErrnoKeeper keeper;
  ledger::ErrorReport report{.kind = kind};
  report.freed = freed;
  report.address = reinterpret_cast<uintptr_t>(block);
  report.used_door = used;
  report.value = value;
  report.where = RecordPlace(thread);
  report.tid = thread->tid;
  if (header != nullptr) {
    report.block_door = static_cast<Door>(header->door);
    report.size = header->size;
    report.allocated = NodeOfStack(header->stack);
  }
  if (ledger::AddError(report)) ActOnError(report);
}

void ReportTrap(ErrorKind kind, const GuardedPages::Place& place, int64_t offset, const ucontext_t& where, ThreadState* thread) {
  const ErrnoKeeper keeper;
  ledger::ErrorReport report{.kind = kind, .trapped = true};
  report.address = reinterpret_cast<uintptr_t>(place.block);
  report.block_door = static_cast<Door>(place.header.door);
  report.size = place.header.size;
  report.value = static_cast<uint64_t>(offset);
  report.where = RecordInterrupted(thread, where);
  report.allocated = NodeOfStack(place.header.stack);
  report.freed = place.freed;
  report.tid = thread->tid;
  if (ledger::AddError(report)) ActOnError(report);
}

void ReportBreach(const char* what, const void* block, size_t bytes, Door door, ThreadState* thread) {
  ledger::ErrorReport report{.kind = ErrorKind::kSpyContract};
  report.address = reinterpret_cast<uintptr_t>(block);
  report.size = bytes;
  report.used_door = door;
  report.where = RecordPlace(thread);
  report.tid = thread->tid;
  report.detail = what;
  if (ledger::AddError(report)) ActOnError(report);
}

void ReportReleaseTooMany(const void* object, const char* class_name, uint32_t count, uint32_t node, ThreadState* thread) {
  ledger::ErrorReport report{.kind = ErrorKind::kUnbalancedReferences};
  report.address = reinterpret_cast<uintptr_t>(object);
  report.value = count;
  report.where = node;
  report.tid = thread->tid;
  report.detail = class_name;
  if (const void* block = BlockAround(report.address); block != nullptr) {
    report.size = HeaderOf(block)->size;
    report.block_door = static_cast<Door>(HeaderOf(block)->door);
    report.allocated = NodeOfStack(HeaderOf(block)->stack);
  }
  if (ledger::AddError(report)) ActOnError(report);
}

void ReportInjectedFailure(size_t bytes, uint32_t node, uint32_t tid) {
  ledger::ErrorReport report{.kind = ErrorKind::kInjectedFailure};
  report.size = bytes;
  report.where = node;
  report.tid = tid;
  ledger::AddError(report);
}

bool JudgeForeign(const void* pointer, Door used, ThreadState* thread) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(pointer);
  Quarantine::Kept kept;
  if (g_settings.keeps_freed) kept = g_quarantine.Find(address);
  if (const GuardedPages::Place place = PlaceOfFreed(address); place.block != nullptr) {
    kept = {const_cast<void*>(place.block), nullptr, place.header, place.freed, 0};
  }
  const BlockHeader* kept_header = kept.block != nullptr ? &kept.header : nullptr;
  if (g_live_map.StateOf(address) == BlockState::kFreed) {
    const bool known = kept.block == pointer;  // else another one has had the place since
    ReportBlockError(ErrorKind::kDoubleFree, pointer, known ? kept_header : nullptr, used, 0, thread, known ? kept.freed : 0);
    return true;
  }
  if (kept_header != nullptr) {
    const uint64_t offset = address - reinterpret_cast<uintptr_t>(kept.block);
    ReportBlockError(ErrorKind::kInvalidFree, pointer, kept_header, used, offset, thread, kept.freed);
    return true;
  }
  if (const void* around = BlockAround(address); around != nullptr) {
    const BlockHeader header = *HeaderOf(around);
    const uint64_t offset = address - reinterpret_cast<uintptr_t>(around);
    ReportBlockError(ErrorKind::kInvalidFree, pointer, &header, used, offset, thread);
    return true;
  }
  const bool on_stack = thread->stack_low <= address && address < thread->stack_high;
  if (on_stack || IsInModule(address) || !wrapped::MayOwn(pointer)) {
    ReportBlockError(ErrorKind::kInvalidFree, pointer, nullptr, used, 0, thread);
    return true;
  }
  return false;
}

}  // namespace mallocspy
