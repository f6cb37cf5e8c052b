#include "tools/run/kept_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "allocator/ledger/format.h"
#include "tools/reader/byte_source.h"
#include "tools/report/report_sink.h"
#include "tools/run/whole_file.h"

namespace mallocspy {
namespace {

constexpr uint64_t kPieceBytes = uint64_t{1} << 20;

// Of the ledger; all of the file if it is none.
uint64_t UsedBytes(const ByteSource& source) {
  uint64_t used = 0;
  if (!source.Read(offsetof(ledger::Header, used_bytes), &used, sizeof(used))) return source.Size();
  return std::min(used, source.Size());
}

// Holes stay holes.
absl::Status CopyBytes(const ByteSource& source, uint64_t bytes, WholeFile* file) {
  std::vector<char> piece(kPieceBytes);
  for (uint64_t at = source.NextData(0); at < bytes; at = source.NextData(at)) {
    const uint64_t size = std::min(kPieceBytes, bytes - at);
    if (!source.Read(at, piece.data(), size)) return absl::DataLossError("the record ends too early");
    if (const absl::Status written = file->Write(piece.data(), size, at); !written.ok()) return written;
    at += size;
  }
  if (ftruncate(file->descriptor(), static_cast<off_t>(bytes)) != 0) return absl::ErrnoToStatus(errno, "ftruncate");
  return absl::OkStatus();
}

}  // namespace

absl::Status KeepLedger(const std::string& from, const std::string& to) {
  const absl::StatusOr<std::unique_ptr<FileSource>> source = FileSource::Open(from);
  if (!source.ok()) return source.status();
  const absl::StatusOr<std::unique_ptr<WholeFile>> file = WholeFile::Create(to);
  if (!file.ok()) return file.status();
  const absl::Status copied = CopyBytes(**source, UsedBytes(**source), file->get());
  return copied.ok() ? (*file)->Commit() : copied;
}

std::string KeptName(absl::string_view pattern, const RunLedger& ledger, const RunLedger& first) {
  const bool by_pid = absl::StrContains(pattern, "%p");
  const bool is_first = ledger.pid == first.pid && ledger.image == first.image;
  const std::string path = ExpandPath(pattern, ledger.pid);
  if (is_first) return path;
  absl::string_view stem = path;
  const absl::string_view ending = absl::ConsumeSuffix(&stem, ".mspy") ? ".mspy" : "";
  const std::string pid = by_pid ? "" : absl::StrCat(".", ledger.pid);
  // The first process has its last image under the plain name; the others show theirs from the second on.
  const std::string image = ledger.image != 0 || ledger.pid == first.pid ? absl::StrCat(".", ledger.image) : "";
  return absl::StrCat(stem, pid, image, ending);
}

absl::Status KeepLedgers(absl::string_view pattern, const std::vector<RunLedger>& ledgers) {
  if (ledgers.empty()) return absl::NotFoundError("there is no record to keep");
  std::vector<std::string> problems;
  for (const RunLedger& ledger : ledgers) {
    const std::string name = KeptName(pattern, ledger, ledgers[0]);
    const absl::Status kept = KeepLedger(ledger.path, name);
    if (!kept.ok()) problems.push_back(absl::StrCat(name, " (", kept.message(), ")"));
  }
  if (problems.empty()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot keep ", absl::StrJoin(problems, ", ")));
}

}  // namespace mallocspy
