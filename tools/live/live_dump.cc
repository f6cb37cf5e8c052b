#include "tools/live/live_dump.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tools/live/process_files.h"
#include "tools/run/whole_file.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;
constexpr int kSilenceMs = 60000;  // a copy that says nothing for so long is stuck

// The pipe that a copy of the process writes into.
class Pipe {
 public:
  explicit Pipe(int descriptor) : descriptor_(descriptor) {}
  ~Pipe() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  // All of them; false at its end, or when nothing comes.
  bool Read(void* to, size_t bytes) {
    char* at = static_cast<char*>(to);
    while (bytes > 0) {
      const ssize_t got = read(descriptor_, at, bytes);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) {
        pollfd ready = {descriptor_, POLLIN, 0};
        if (poll(&ready, 1, kSilenceMs) == 0) return false;
        continue;
      }
      if (got <= 0) return false;
      at += got;
      bytes -= static_cast<size_t>(got);
    }
    return true;
  }

 private:
  const int descriptor_;
};

absl::Status Receive(Pipe* pipe, WholeFile* file, const std::function<void(uint64_t)>& progress, uint64_t* file_bytes) {
  constexpr uint64_t kMostBytes = uint64_t{1} << 46;
  std::vector<char> buffer(kBufferBytes);
  uint64_t received = 0;
  for (;;) {
    ledger::StreamPiece piece;
    if (!pipe->Read(&piece, sizeof(piece))) break;
    if (piece.offset > kMostBytes || piece.bytes > kMostBytes) return absl::DataLossError("what came is no snapshot");
    if (piece.bytes == 0) {
      *file_bytes = piece.offset;
      if (ftruncate(file->descriptor(), static_cast<off_t>(piece.offset)) != 0) return absl::ErrnoToStatus(errno, "ftruncate");
      return absl::OkStatus();
    }
    while (piece.bytes > 0) {
      const size_t now = std::min<uint64_t>(piece.bytes, buffer.size());
      if (!pipe->Read(buffer.data(), now)) return absl::DataLossError("the copy of the process ended too early (was it killed?)");
      if (const absl::Status written = file->Write(buffer.data(), now, piece.offset); !written.ok()) return written;
      piece.offset += now;
      piece.bytes -= now;
      received += now;
    }
    if (progress != nullptr) progress(received);
  }
  return absl::DataLossError("the copy of the process ended too early (was it killed?)");
}

}  // namespace

absl::StatusOr<DumpTaken> TakeDump(const LiveProcess& process, const std::string& path, DumpContent content,
                                   const std::function<void(uint64_t)>& progress) {
  const auto unwritten = [&path](const absl::Status& status) {
    return absl::Status(absl::StatusCode::kDataLoss, absl::StrCat("the dump could not be written to ", Escaped(path), ": ", status.message()));
  };
  // First, so that no process is stopped for nothing.
  const absl::StatusOr<std::unique_ptr<WholeFile>> file = WholeFile::Create(path);
  if (!file.ok()) return unwritten(file.status());
  const absl::StatusOr<std::unique_ptr<LiveRequest>> request = LiveRequest::Make(process);
  if (!request.ok()) return request.status();
  if (const absl::Status asked = (*request)->Ask(ledger::RequestSlot::kDump, "", content); !asked.ok()) return asked;
  (*request)->AwaitProcess();
  const std::optional<uint32_t> copy = PidOutside(process.pid(), (*request)->copy());
  if (!copy.has_value()) return unwritten(absl::NotFoundError("the copy of the process is gone"));
  Pipe pipe(open(ProcPath(*copy, absl::StrCat("fd/", (*request)->descriptor())).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  DumpTaken taken;
  const absl::Status received = Receive(&pipe, file->get(), progress, &taken.bytes);
  if (!received.ok()) return unwritten(received);
  taken.pause = (*request)->Pause();
  taken.unanswered = (*request)->unanswered();
  taken.next_mark = (*request)->number();
  if (const absl::Status kept = (*file)->Commit(); !kept.ok()) return unwritten(kept);
  return taken;
}

}  // namespace mallocspy
