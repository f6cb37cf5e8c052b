// What a program can ask and say about its leaks and its heap: our own names (leak_check.h, heap_dump.h), and LeakSanitizer's, so that programs annotated for it work
// as they are.
#include <cerrno>
#include <cstring>

#include "allocator/heap_dump.h"
#include "allocator/heap_errors.h"
#include "allocator/interpose/export.h"
#include "allocator/interpose/place_of_call.h"
#include "allocator/leak_check.h"
#include "allocator/ledger/ledger.h"
#include "allocator/marks.h"
#include "allocator/process.h"
#include "allocator/snapshot/dump_file.h"
#include "allocator/snapshot/ending.h"
#include "allocator/snapshot/live_check.h"
#include "allocator/snapshot/root_regions.h"
#include "allocator/system/errno_keeper.h"
#include "allocator/thread_state.h"
#include "allocator/wrapping_allocator.h"

namespace {

constexpr int kExitLeaks = 23;  // LeakSanitizer's, and ours

void ChangeIgnoring(bool begins) {
  const mallocspy::ErrnoKeeper keeper;
  const mallocspy::Event event;
  mallocspy::ThreadState* thread = event.thread();
  if (thread == nullptr || (!begins && thread->ignoring == 0)) return;
  mallocspy::SetIgnoring(thread, begins ? thread->ignoring + 1 : thread->ignoring - 1);
}

int Ignore(const void* block) {
  const mallocspy::ErrnoKeeper keeper;
  if (mallocspy::g_heap.Ignore(block)) return 1;
  // Inside of a block, where a spy may have moved the program's pointer.
  const void* around = mallocspy::BlockAround(reinterpret_cast<uintptr_t>(block));
  return around != nullptr && mallocspy::g_heap.Ignore(around) ? 1 : 0;
}

mallocspy::ProgramPoint Above(const void* stack, mallocspy::ProgramPoint point) {
  const auto address = reinterpret_cast<uintptr_t>(stack);
  if (address > point.sp) point.sp = address;
  return point;
}

size_t Lost(const mallocspy_leaks& found) { return found.definite.blocks + found.indirect.blocks; }

}  // namespace

extern "C" {

MALLOCSPY_DOOR uint64_t mallocspy_mark() {
  const mallocspy::ErrnoKeeper keeper;
  return mallocspy::BeginMark();
}

MALLOCSPY_DOOR int mallocspy_check_leaks(uint64_t since, mallocspy_leaks* found) {
  MALLOCSPY_KEPT_REGISTERS(kept);
  const mallocspy::ErrnoKeeper keeper;
  mallocspy::CheckLeaksNow(mallocspy::PointOf(MALLOCSPY_DOOR_FRAME(), kept), since, found);
  return found->error;
}

MALLOCSPY_DOOR int mallocspy_report_leaks(uint64_t since, const char* const* arguments, int output) {
  MALLOCSPY_KEPT_REGISTERS(kept);
  const mallocspy::ErrnoKeeper keeper;
  return mallocspy::ReportLeaksNow(mallocspy::PointOf(MALLOCSPY_DOOR_FRAME(), kept), since, arguments, output);
}

MALLOCSPY_DOOR int mallocspy_check_leaks_above(const void* stack, uint64_t since, mallocspy_leaks* found) {
  MALLOCSPY_KEPT_REGISTERS(kept);
  const mallocspy::ErrnoKeeper keeper;
  mallocspy::CheckLeaksNow(Above(stack, mallocspy::PointOf(MALLOCSPY_DOOR_FRAME(), kept)), since, found);
  return found->error;
}

MALLOCSPY_DOOR int mallocspy_report_leaks_above(const void* stack, uint64_t since, const char* const* arguments, int output) {
  MALLOCSPY_KEPT_REGISTERS(kept);
  const mallocspy::ErrnoKeeper keeper;
  return mallocspy::ReportLeaksNow(Above(stack, mallocspy::PointOf(MALLOCSPY_DOOR_FRAME(), kept)), since, arguments, output);
}

MALLOCSPY_DOOR uint64_t mallocspy_mark_as(const char* name) {
  const mallocspy::ErrnoKeeper keeper;
  return mallocspy::BeginMark(name);
}

MALLOCSPY_DOOR int mallocspy_dump(const char* pattern) {
  MALLOCSPY_KEPT_REGISTERS(kept);
  const mallocspy::ErrnoKeeper keeper;
  char path[mallocspy::kDumpPathBytes];
  if (pattern == nullptr || !mallocspy::DumpPath(pattern, std::strlen(pattern), 0, path)) return pattern == nullptr ? EFAULT : ENAMETOOLONG;
  return mallocspy::DumpToFile(mallocspy::PointOf(MALLOCSPY_DOOR_FRAME(), kept), path);
}

MALLOCSPY_DOOR int mallocspy_ignore(const void* block) { return Ignore(block); }
MALLOCSPY_DOOR void mallocspy_ignore_begin() { ChangeIgnoring(true); }
MALLOCSPY_DOOR void mallocspy_ignore_end() { ChangeIgnoring(false); }

MALLOCSPY_DOOR int mallocspy_add_root(const void* start, size_t bytes) {
  const mallocspy::ErrnoKeeper keeper;
  return mallocspy::AddRootRegion(reinterpret_cast<uintptr_t>(start), bytes) ? 0 : ENOMEM;
}
MALLOCSPY_DOOR int mallocspy_remove_root(const void* start, size_t bytes) {
  const mallocspy::ErrnoKeeper keeper;
  return mallocspy::RemoveRootRegion(reinterpret_cast<uintptr_t>(start), bytes) ? 0 : ENOENT;
}

// sanitizer/lsan_interface.h. Weak: a program that is linked with LeakSanitizer has its own.
#define MALLOCSPY_LSAN_DOOR MALLOCSPY_DOOR __attribute__((weak))

MALLOCSPY_LSAN_DOOR void __lsan_disable() { ChangeIgnoring(true); }
MALLOCSPY_LSAN_DOOR void __lsan_enable() { ChangeIgnoring(false); }
MALLOCSPY_LSAN_DOOR void __lsan_ignore_object(const void* block) { Ignore(block); }
MALLOCSPY_LSAN_DOOR void __lsan_register_root_region(const void* start, size_t bytes) { mallocspy_add_root(start, bytes); }
MALLOCSPY_LSAN_DOOR void __lsan_unregister_root_region(const void* start, size_t bytes) { mallocspy_remove_root(start, bytes); }

MALLOCSPY_LSAN_DOOR int __lsan_do_recoverable_leak_check() {
  MALLOCSPY_KEPT_REGISTERS(kept);
  const mallocspy::ErrnoKeeper keeper;
  const mallocspy::ProgramPoint point = mallocspy::PointOf(MALLOCSPY_DOOR_FRAME(), kept);
  mallocspy_leaks found;
  mallocspy::CheckLeaksNow(point, 0, &found);
  if (found.error != 0 || Lost(found) == 0) return 0;
  mallocspy::ReportLeaksNow(point, 0, nullptr, 2);
  return 1;
}

// As at the end of the process, which is what it is if there are leaks; without any there is no other check at the end.
MALLOCSPY_LSAN_DOOR void __lsan_do_leak_check() {
  MALLOCSPY_KEPT_REGISTERS(kept);
  const mallocspy::ErrnoKeeper keeper;
  mallocspy_leaks found;
  const mallocspy::ProgramPoint point = mallocspy::PointOf(MALLOCSPY_DOOR_FRAME(), kept);
  mallocspy::ledger::Header& header = mallocspy::ledger::g_ledger.header();
  if (header.leaks_off != 0) return;
  mallocspy::CheckLeaksNow(point, 0, &found);
  if (found.error != 0) return;  // what could not be done now can perhaps at the end
  if (Lost(found) == 0) {
    header.leaks_off = 1;
    return;
  }
  mallocspy::EndRecord(mallocspy::ledger::End::kExit, kExitLeaks, &point);
  for (;;) mallocspy::RawSyscall(SYS_exit_group, kExitLeaks);
}

}  // extern "C"
