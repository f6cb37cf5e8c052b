#include "allocator/snapshot/snapshot_sink.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>

#include <cerrno>

#include "allocator/ledger/format.h"
#include "allocator/system/clock.h"
#include "allocator/system/file_size_limit.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/raw_syscall.h"

namespace mallocspy {

bool SnapshotSink::WriteToFile(const char* at, size_t size, uint64_t offset) {
  if (offset + RoundUp(size, kPageBytes) > FileSizeLimit()) return error_ = -EFBIG, false;
  while (size > 0) {
    const long done = RawSyscall(SYS_pwrite64, fd_, at, size, offset);
    if (done == -EINTR) continue;
    if (done <= 0) return error_ = done, false;
    at += done;
    size -= static_cast<size_t>(done);
    offset += static_cast<uint64_t>(done);
  }
  return true;
}

// The pipe is full. As long as our own end is there, a reader that never comes and one that has gone look alike.
bool SnapshotSink::AwaitReader() {
  pollfd room = {fd_, POLLOUT, 0};
  const timespec patience = {kPatienceMs / 1000, 0};
  const long ready = RawSyscall(SYS_ppoll, &room, 1, &patience, nullptr, 0);
  if (ready == -EINTR) return true;
  if (ready <= 0) return error_ = ready == 0 ? -ETIMEDOUT : ready, false;
  if (read_end_ >= 0) RawSyscall(SYS_close, read_end_);
  read_end_ = -1;
  return true;
}

bool SnapshotSink::WriteToPipe(const char* at, size_t size) {
  while (size > 0) {
    const long done = RawSyscall(SYS_write, fd_, at, size);
    if (done == -EINTR) continue;
    if (done == -EAGAIN) {
      if (!AwaitReader()) return false;
      continue;
    }
    if (done <= 0) return error_ = done, false;
    at += done;
    size -= static_cast<size_t>(done);
  }
  return true;
}

bool SnapshotSink::Write(const void* data, size_t size, uint64_t offset) {
  const char* at = static_cast<const char*>(data);
  if (error_ != 0 || size == 0) return error_ == 0;
  if (!is_pipe_) return WriteToFile(at, size, offset);
  const ledger::StreamPiece piece = {offset, size};
  return WriteToPipe(reinterpret_cast<const char*>(&piece), sizeof(piece)) && WriteToPipe(at, size);
}

bool SnapshotSink::Finish(uint64_t bytes) {
  if (error_ != 0) return false;
  if (!is_pipe_) {
    const long cut = RawSyscall(SYS_ftruncate, fd_, bytes);
    return !RawFailed(cut) || (error_ = cut, false);
  }
  const ledger::StreamPiece last = {bytes, 0};
  if (!WriteToPipe(reinterpret_cast<const char*>(&last), sizeof(last))) return false;
  // What is small fits whole, and nobody may have come for it yet.
  const uint64_t deadline_us = MonotonicUs() + uint64_t{kPatienceMs} * 1000;
  while (read_end_ >= 0) {
    int left = 0;
    const timespec pause = {0, 1000000};
    if (RawFailed(RawSyscall(SYS_ioctl, fd_, FIONREAD, &left)) || left == 0) return true;
    if (MonotonicUs() > deadline_us) return error_ = -ETIMEDOUT, false;
    RawSyscall(SYS_nanosleep, &pause, nullptr);
  }
  return true;
}

}  // namespace mallocspy
