#include "allocator/snapshot/snapshot_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "allocator/ledger/ledger.h"
#include "allocator/process.h"
#include "allocator/snapshot/block_list.h"
#include "allocator/snapshot/picture.h"
#include "allocator/snapshot/reporter.h"
#include "allocator/system/decimal.h"
#include "allocator/system/file_size_limit.h"
#include "allocator/system/initial_stack.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/raw_log.h"
#include "allocator/system/raw_syscall.h"

namespace mallocspy {
namespace {

using ledger::Block;
using ledger::g_ledger;

constexpr size_t kBufferedBlocks = 2048;

bool WriteAt(int fd, const void* data, size_t size, uint64_t offset, long* error) {
  if (offset + RoundUp(size, kPageBytes) > FileSizeLimit()) return *error = -EFBIG, false;
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const long done = RawSyscall(SYS_pwrite64, fd, at, size, offset);
    if (done == -EINTR) continue;
    if (done <= 0) {
      *error = done;
      return false;
    }
    at += done;
    size -= static_cast<size_t>(done);
    offset += static_cast<uint64_t>(done);
  }
  return true;
}

struct BlockWriter {
  int fd;
  uint32_t lowest_mark;
  uint64_t offset;
  uint64_t count = 0;
  size_t buffered = 0;
  long* error;
  bool failed = false;
  Block* buffer;

  bool Flush() {
    failed = failed || !WriteAt(fd, buffer, buffered * sizeof(Block), offset, error);
    offset += buffered * sizeof(Block);
    buffered = 0;
    return !failed;
  }
};

bool WriteBlock(const Block& block, void* context) {
  BlockWriter* writer = static_cast<BlockWriter*>(context);
  if (block.mark < writer->lowest_mark) return true;
  writer->buffer[writer->buffered++] = block;
  ++writer->count;
  return writer->buffered < kBufferedBlocks || writer->Flush();
}

// The path that option `keep` names, with %p as the process id; false if it is too long.
bool KeepPath(char* path, size_t capacity) {
  const OptionText pattern = ProcessOptions().keep;
  size_t size = 0;
  for (size_t i = 0; i < pattern.size; ++i) {
    path[size] = '\0';
    if (size + 12 > capacity) return false;
    if (pattern.data[i] == '%' && i + 1 < pattern.size && pattern.data[i + 1] == 'p') {
      size = static_cast<size_t>(AppendDecimal(path + size, g_ledger.header().pid) - path);
      ++i;
    } else {
      path[size++] = pattern.data[i];
    }
  }
  path[size] = '\0';
  return true;
}

// 0 when a new file may take the place of whatever `path` names now.
long MayReplace(const char* path) {
  struct stat there;
  const long found = RawSyscall(SYS_newfstatat, AT_FDCWD, path, &there, AT_SYMLINK_NOFOLLOW);
  if (found == -ENOENT) return 0;
  if (RawFailed(found)) return found;
  return S_ISREG(there.st_mode) ? 0 : -EEXIST;  // a link, a device, a pipe: not ours to remove
}

void Keep() {
  char path[4096];
  path[0] = '\0';
  long error = KeepPath(path, sizeof(path)) ? MayReplace(path) : -ENAMETOOLONG;
  if (error == 0) {
    RawSyscall(SYS_unlinkat, AT_FDCWD, path, 0);
    const long fd = RawSyscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    error = fd;
    if (!RawFailed(fd)) {
      const bool written = WriteSnapshot(static_cast<int>(fd), 0, &error);
      RawSyscall(SYS_close, fd);
      if (written) {
        RawLine(2).Text("mallocspy: wrote ").Text(path).Text("; `mallocspy report` reads it").End();
        return;
      }
      RawSyscall(SYS_unlinkat, AT_FDCWD, path, 0);
    }
  }
  RawLine line(2);
  line.Text("mallocspy: the snapshot could not be written to ").Text(path).Text(": ");
  if (error == -EEXIST) {
    line.Text("it exists and is no regular file");
  } else if (error == -EFBIG) {
    line.Text("it is larger than the file size limit (ulimit -f)");
  } else {
    line.Text("error ").Number(static_cast<uint64_t>(-error));
  }
  line.Text("; choose another file with keep=").End();
}

struct Saving {
  bool exits;
  bool keeps;
  bool reports;
  long fd;  // of the report's own snapshot; a negated errno if there is none
};

// The report's own snapshot, which the command would have read.
void SayUnwritten(long error) {
  RawLine line(2);
  line.Text("mallocspy: the snapshot for the report could not be written: ");
  if (error == -EFBIG) {
    line.Text("it is larger than the file size limit (ulimit -f)");
  } else {
    line.Text("error ").Number(static_cast<uint64_t>(-error));
  }
  line.Text("; so nothing has names").End();
}

bool Save(void* context) {
  const Saving* saving = static_cast<Saving*>(context);
  if (saving->keeps) Keep();
  if (!saving->reports) return true;
  long error = saving->fd;
  const bool written = !RawFailed(saving->fd) && WriteSnapshot(static_cast<int>(saving->fd), 0, &error);
  if (!written) SayUnwritten(error);
  return true;
}

// In a copy of the process.
bool SavePicture(void* context) {
  const Saving* saving = static_cast<Saving*>(context);
  if (saving->exits) NoteLibraryCaches(RawFailed(saving->fd) ? -1 : static_cast<int>(saving->fd));
  return Save(context);
}

// Of the snapshot in `fd`, if it was written.
void Report(long fd) {
  struct stat file;
  const bool written = !RawFailed(fd) && !RawFailed(RawSyscall(SYS_fstat, fd, &file)) && file.st_size != 0;
  if (!written || !SpawnReport(static_cast<int>(fd))) PrintPlainReport();
}

}  // namespace

bool WriteSnapshot(int fd, uint32_t lowest_mark, long* error) {
  ledger::Header& header = g_ledger.header();
  if (g_ledger.memory().used_bytes() > FileSizeLimit()) return *error = -EFBIG, false;
  const auto table_count = static_cast<size_t>(ledger::TableId::kCount);
  for (size_t t = 0; t < table_count; ++t) {
    const ledger::Table& table = header.tables[t];
    for (uint32_t e = 0; e < ledger::kMaxExtents && table.extents[e] != 0; ++e) {
      const uint64_t first = ledger::ExtentStart(e, table.first_records);
      const uint64_t count = table.count.load(std::memory_order_relaxed);
      if (first >= count) break;
      const uint64_t capacity = ledger::ExtentRecords(e, table.first_records);
      const uint64_t records = count - first < capacity ? count - first : capacity;
      const void* data = g_ledger.At<char>(static_cast<ledger::TableId>(t), static_cast<uint32_t>(first));
      if (!WriteAt(fd, data, records * table.record_bytes, table.extents[e], error)) return false;
    }
  }
  BlockWriter writer{.fd = fd, .lowest_mark = lowest_mark, .offset = g_ledger.memory().used_bytes(), .error = error, .buffer = nullptr};
  writer.buffer = static_cast<Block*>(MapPrivate(kBufferedBlocks * sizeof(Block)));
  if (writer.buffer == nullptr) return *error = -ENOMEM, false;
  ForEachBlock(WriteBlock, &writer);
  writer.Flush();
  Unmap(writer.buffer, kBufferedBlocks * sizeof(Block));
  if (writer.failed) return false;
  header.blocks_offset = writer.count != 0 ? g_ledger.memory().used_bytes() : 0;
  header.blocks_count = writer.count;
  header.used_bytes.store(RoundUp(writer.offset, kPageBytes), std::memory_order_relaxed);
  header.state.store(ledger::State::kEnded, std::memory_order_relaxed);
  if (RawFailed(RawSyscall(SYS_ftruncate, fd, RoundUp(writer.offset, kPageBytes)))) return *error = -ENOSPC, false;
  return WriteAt(fd, &header, sizeof(header), 0, error);
}

void SaveAndReport(const ProgramPoint& self, bool exits) {
  Saving saving = {};
  saving.exits = exits;
  saving.keeps = ProcessOptions().keep.size != 0 && !IsSecureExecution();
  saving.reports = RunDirectory() == nullptr && ProcessOptions().report.Is("auto");
  if (!saving.keeps && !saving.reports) return;
  saving.fd = saving.reports ? RawSyscall(SYS_memfd_create, "mallocspy", MFD_CLOEXEC) : -1;
  // Without a copy of the process everything is saved all the same, but for what still leads to the blocks.
  if (!WorkInPicture(self, Afterwards::kEnds, SavePicture, &saving)) Save(&saving);
  if (saving.reports) Report(saving.fd);
  if (!RawFailed(saving.fd)) RawSyscall(SYS_close, saving.fd);
}

}  // namespace mallocspy
