#include "allocator/snapshot/dump_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "allocator/ledger/ledger.h"
#include "allocator/marks.h"
#include "allocator/process.h"
#include "allocator/snapshot/live_picture.h"
#include "allocator/snapshot/snapshot_file.h"
#include "allocator/system/decimal.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/raw_log.h"
#include "allocator/system/raw_syscall.h"

namespace mallocspy {
namespace {

struct DumpFile {
  const char* path;
  const char* removed;  // null for none
  uint32_t* writing;    // null for none
  uint64_t next_mark;
  long* error;  // a negated errno; in memory that copies share, or null: then it is said on standard error
};

void BeginDumpsMark(void* context) { static_cast<DumpFile*>(context)->next_mark = BeginMarkFrozen(); }

ledger::Contents OwnContents() {
  const OptionText contents = ProcessOptions().contents;
  return contents.Is("full") ? ledger::Contents::kFull : contents.Is("pointers") ? ledger::Contents::kPointers : ledger::Contents::kNone;
}

// 0 or a negated errno.
long WriteFile(const DumpFile& dump) {
  char temporary[kDumpPathBytes + 32];
  std::strcpy(temporary, dump.path);
  char* end = temporary + std::strlen(temporary);
  *end++ = '.';
  std::strcpy(AppendDecimal(end, static_cast<uint64_t>(RawSyscall(SYS_getpid))), ".part");
  struct stat old;
  if (!RawFailed(RawSyscall(SYS_newfstatat, AT_FDCWD, dump.path, &old, AT_SYMLINK_NOFOLLOW)) && !S_ISREG(old.st_mode)) return -EEXIST;
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (RawFailed(fd)) return fd;
  SnapshotSink sink = SnapshotSink::File(static_cast<int>(fd));
  long result = WriteSnapshot(&sink, 0, {true, OwnContents()}) ? 0 : sink.error();
  if (result == 0) result = RawSyscall(SYS_close, fd);
  if (result == 0) result = RawSyscall(SYS_renameat, AT_FDCWD, temporary, AT_FDCWD, dump.path);
  if (result != 0) RawSyscall(SYS_unlinkat, AT_FDCWD, temporary, 0);
  return result;
}

// In the copy.
bool Write(void* context) {
  constexpr rlimit kCpu = {600, 600};
  const DumpFile* dump = static_cast<DumpFile*>(context);
  if (dump->error == nullptr) RawSyscall(SYS_prlimit64, 0, RLIMIT_CPU, &kCpu, nullptr);  // nobody waits for it
  if (dump->writing != nullptr) *dump->writing = static_cast<uint32_t>(RawSyscall(SYS_getpid));
  CompletePicture(dump->next_mark);
  const long error = WriteFile(*dump);
  if (dump->error != nullptr) {
    *dump->error = error;
  } else if (error != 0) {
    RawLine(2).Text("mallocspy: the dump could not be written to ").Text(dump->path).Text(": error ").Number(static_cast<uint64_t>(-error))
        .Text("; choose another place with dump_to=").End();
  } else if (dump->removed != nullptr && dump->removed[0] != '\0') {
    RawSyscall(SYS_unlinkat, AT_FDCWD, dump->removed, 0);
  }
  if (dump->writing != nullptr) *dump->writing = 0;
  return error == 0;
}

}  // namespace

bool DumpPath(const char* pattern, size_t pattern_size, uint64_t number, char (&path)[kDumpPathBytes]) {
  size_t size = 0;
  for (size_t i = 0; i < pattern_size; ++i) {
    path[size] = '\0';
    if (size + kMostDecimalDigits + 1 > kDumpPathBytes) return false;
    const char next = i + 1 < pattern_size ? pattern[i + 1] : '\0';
    if (pattern[i] == '%' && (next == 'p' || next == 'n')) {
      const uint64_t value = next == 'p' ? ledger::g_ledger.header().pid : number;
      size = static_cast<size_t>(AppendDecimal(path + size, value) - path);
      ++i;
    } else {
      path[size++] = pattern[i];
    }
  }
  path[size] = '\0';
  return size != 0;
}

int DumpToFile(const ProgramPoint& self, const char* path) {
  long* error = static_cast<long*>(MapShared(sizeof(long)));
  if (error == nullptr) return ENOMEM;
  *error = -EAGAIN;  // of a copy that is killed
  DumpFile dump = {path, nullptr, nullptr, 0, error};
  int result = WorkInLivePicture(self, {Afterwards::kGoesOn, Write, &dump, true, BeginDumpsMark});
  if (result == EAGAIN) result = static_cast<int>(-*error);
  Unmap(error, sizeof(long));
  return result;
}

int BeginDumpToFile(const ProgramPoint& self, const char* path, const char* removed, uint32_t* writing) {
  DumpFile dump = {path, removed, writing, 0, nullptr};
  return WorkInLivePicture(self, {Afterwards::kGoesAlone, Write, &dump, true, BeginDumpsMark});
}

}  // namespace mallocspy
