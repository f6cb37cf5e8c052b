// Where a snapshot's bytes go: into a file, or as pieces (ledger::StreamPiece) into a pipe that another process reads. No heap, no locks.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mallocspy {

class SnapshotSink {
 public:
  // `fd` is seekable.
  static SnapshotSink File(int fd) { return SnapshotSink(fd, -1); }
  // `read_end` is of the same pipe, which somebody else opens by our /proc entry: it is kept until then. If nobody reads for
  // kPatienceMs, writing fails with ETIMEDOUT, and with EPIPE once the reader is gone.
  static SnapshotSink Pipe(int write_end, int read_end) { return SnapshotSink(write_end, read_end); }
  static constexpr int kPatienceMs = 10000;

  bool Write(const void* data, size_t size, uint64_t offset);
  // The file is `bytes` long, and all of it was written. Of a pipe: waits until it was read.
  bool Finish(uint64_t bytes);

  // Why not: a negated errno.
  long error() const { return error_; }

 private:
  SnapshotSink(int fd, int read_end) : fd_(fd), read_end_(read_end), is_pipe_(read_end >= 0) {}
  bool WriteToFile(const char* at, size_t size, uint64_t offset);
  bool WriteToPipe(const char* at, size_t size);
  bool AwaitReader();

  int fd_;
  int read_end_;  // -1 once a reader has one of its own
  bool is_pipe_;
  long error_ = 0;
};

}  // namespace mallocspy
