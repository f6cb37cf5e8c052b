#include "allocator/snapshot/live_check.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <cerrno>

#include "allocator/ledger/ledger.h"
#include "allocator/marks.h"
#include "allocator/process.h"
#include "allocator/snapshot/block_list.h"
#include "allocator/snapshot/live_picture.h"
#include "allocator/snapshot/reporter.h"
#include "allocator/snapshot/snapshot_file.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/raw_syscall.h"

namespace mallocspy {
namespace {

using ledger::Block;
using ledger::g_ledger;
using ledger::Reach;

// Does `work` in a copy of the process as it is now; 0 or an errno value.
int WorkInCopy(const ProgramPoint& self, bool (*work)(void* context), void* context) {
  return WorkInLivePicture(self, {Afterwards::kGoesOn, work, context});
}

// In memory that the copy shares.
struct Counting {
  uint64_t since;
  uint32_t lowest_mark;
  mallocspy_leaks found;
};

bool CountBlock(const Block& block, void* context) {
  Counting* counting = static_cast<Counting*>(context);
  if (block.mark < counting->lowest_mark || (block.flags & ledger::kBlockIgnored) != 0) return true;
  mallocspy_leaks& found = counting->found;
  mallocspy_leak_count* count = &found.definite;
  if (block.reach == Reach::kIndirect) count = &found.indirect;
  if (block.reach == Reach::kPossible) count = &found.possible;
  if (block.reach == Reach::kReachable) count = &found.reachable;
  ++count->blocks;
  count->bytes += block.size;
  return true;
}

bool CountBlocks(void* context) {
  Counting* counting = static_cast<Counting*>(context);
  counting->lowest_mark = HeaderMarkSince(counting->since);
  ForEachBlock(CountBlock, counting);
  return true;
}

struct Saving {
  uint64_t since;
  int fd;
};

// Leaks only: heap errors have been met, and will be reported, once.
bool SavePicture(void* context) {
  const Saving* saving = static_cast<Saving*>(context);
  ledger::Header& header = g_ledger.header();
  for (uint32_t i = 1, count = g_ledger.Count(ledger::TableId::kErrors); i < count; ++i) {
    ledger::Error* error = g_ledger.At<ledger::Error>(ledger::TableId::kErrors, i);
    if (error->kind != static_cast<uint32_t>(ledger::ErrorKind::kInjectedFailure)) error->kind = 0;
  }
  header.errors_dropped.store(0, std::memory_order_relaxed);
  CompletePicture(0);
  SnapshotSink sink = SnapshotSink::File(saving->fd);
  return WriteSnapshot(&sink, HeaderMarkSince(saving->since));
}

}  // namespace

void CheckLeaksNow(const ProgramPoint& self, uint64_t since, mallocspy_leaks* found) {
  *found = {};
  Counting* counting = static_cast<Counting*>(MapShared(sizeof(Counting)));
  if (counting == nullptr) {
    found->error = EAGAIN;
    return;
  }
  counting->since = since;
  const int error = WorkInCopy(self, CountBlocks, counting);
  if (error == 0) {
    *found = counting->found;
    found->unanswered = LastPause().unanswered;
    found->pause_us = LastPause().us;
  }
  found->error = error;
  Unmap(counting, sizeof(Counting));
}

int ReportLeaksNow(const ProgramPoint& self, uint64_t since, const char* const* arguments, int output) {
  const long fd = RawSyscall(SYS_memfd_create, "mallocspy", MFD_CLOEXEC);
  if (RawFailed(fd)) return static_cast<int>(fd);
  Saving saving = {since, static_cast<int>(fd)};
  int result = -WorkInCopy(self, SavePicture, &saving);
  if (result == 0) {
    int status = 0;
    result = RunReport(saving.fd, arguments, output, &status);
    if (result == 0) result = WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
  }
  RawSyscall(SYS_close, fd);
  return result;
}

}  // namespace mallocspy
