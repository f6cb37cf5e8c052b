#include "allocator/snapshot/snapshot_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "allocator/ledger/ledger.h"
#include "allocator/process.h"
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

using ledger::g_ledger;

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
      SnapshotSink sink = SnapshotSink::File(static_cast<int>(fd));
      const bool written = WriteSnapshot(&sink, 0);
      error = sink.error();
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
  if (RawFailed(saving->fd)) return SayUnwritten(saving->fd), true;
  SnapshotSink sink = SnapshotSink::File(static_cast<int>(saving->fd));
  if (!WriteSnapshot(&sink, 0)) SayUnwritten(sink.error());
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

bool WriteSnapshot(SnapshotSink* sink, uint32_t lowest_mark, Content content) {
  const ledger::Header& live = g_ledger.header();
  const auto table_count = static_cast<size_t>(ledger::TableId::kCount);
  for (size_t t = 0; t < table_count; ++t) {
    const ledger::Table& table = live.tables[t];
    for (uint32_t e = 0; e < ledger::kMaxExtents && table.extents[e] != 0; ++e) {
      const uint64_t first = ledger::ExtentStart(e, table.first_records);
      const uint64_t count = table.count.load(std::memory_order_relaxed);
      if (first >= count) break;
      const uint64_t capacity = ledger::ExtentRecords(e, table.first_records);
      const uint64_t records = count - first < capacity ? count - first : capacity;
      const void* data = g_ledger.At<char>(static_cast<ledger::TableId>(t), static_cast<uint32_t>(first));
      if (!sink->Write(data, records * table.record_bytes, table.extents[e])) return false;
    }
  }
  // The ledger itself may be somebody's to see, so only its picture says where the lists are.
  alignas(ledger::Header) unsigned char image[sizeof(ledger::Header)];
  std::memcpy(image, static_cast<const void*>(&live), sizeof(image));
  ledger::Header& header = *reinterpret_cast<ledger::Header*>(image);
  const ListsWritten lists = WriteLists(sink, g_ledger.memory().used_bytes(), lowest_mark, content);
  if (!lists.good) return false;
  header.blocks_offset = lists.blocks.offset;
  header.blocks_count = lists.blocks.count;
  header.references = lists.references;
  header.root_references = lists.root_references;
  header.types = lists.types;
  header.content_words = lists.content_words;
  header.content_bytes = lists.content_bytes;
  header.has_graph = content.graph ? 1 : 0;
  header.contents = content.graph ? content.bytes : ledger::Contents::kNone;
  header.used_bytes.store(lists.end, std::memory_order_relaxed);
  header.state.store(ledger::State::kEnded, std::memory_order_relaxed);
  header.request.state.store(ledger::RequestSlot::kIdle, std::memory_order_relaxed);
  return sink->Write(&header, sizeof(header), 0) && sink->Finish(lists.end);
}

void SaveAndReport(const ProgramPoint& self, bool exits) {
  Saving saving = {};
  saving.exits = exits;
  saving.keeps = ProcessOptions().keep.size != 0 && !IsSecureExecution();
  saving.reports = RunDirectory() == nullptr && ProcessOptions().report.Is("auto");
  if (!saving.keeps && !saving.reports) return;
  saving.fd = saving.reports ? RawSyscall(SYS_memfd_create, "mallocspy", MFD_CLOEXEC) : -1;
  // Without a copy of the process everything is saved all the same, but for what still leads to the blocks.
  if (!WorkInPicture(self, {Afterwards::kEnds, SavePicture, &saving})) Save(&saving);
  if (saving.reports) Report(saving.fd);
  if (!RawFailed(saving.fd)) RawSyscall(SYS_close, saving.fd);
}

}  // namespace mallocspy
