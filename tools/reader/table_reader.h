// The checked way to the records of one table. Nothing is read, and no memory taken, before the table's numbers were
// found to fit the file.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "allocator/ledger/format.h"
#include "tools/reader/byte_source.h"

namespace mallocspy {

class TableReader {
 public:
  // `table` as the header has it, of records of `record_bytes`; `limit_bytes` is the end of what the ledger uses.
  // `source` must outlive the reader.
  TableReader(const ByteSource& source, absl::string_view name, const ledger::Table& table, uint32_t record_bytes,
              uint64_t limit_bytes);

  // Whether the table's numbers make sense and its records lie inside the file; before anything else.
  absl::Status Check(uint64_t most_records) const;
  // Without any record but record 0, which stands for "none", a table need not have an extent.
  bool empty() const { return count_ == 0 || (count_ == 1 && extents_[0] == 0); }

  // Calls `take(index, record)` for every record from index `first` on. `Record` is the table's struct in format.h.
  template <typename Record, typename Take>
  absl::Status ForEach(uint64_t first, Take take) const;

  // For the string table: the bytes of `reference`. False if it is out of range or longer than `most_bytes`.
  bool ReadString(ledger::StringRef reference, uint64_t most_bytes, std::string* text) const;

 private:
  // Bytes read at once, and the longest hole in a table's records. Real ledgers have holes of a few unused records.
  static constexpr uint64_t kPieceBytes = uint64_t{1} << 20;
  static constexpr uint64_t kLongestHoleBytes = uint64_t{16} << 20;

  uint64_t ExtentStart(uint32_t extent) const;
  uint64_t ExtentRecords(uint32_t extent) const;
  uint32_t ExtentOf(uint64_t index) const;
  absl::Status ReadPiece(uint64_t offset, void* to, uint64_t bytes) const;
  absl::Status Damaged(absl::string_view what) const;

  const ByteSource& source_;
  const std::string name_;
  const uint64_t count_;
  const uint32_t stated_record_bytes_;
  const uint32_t first_records_;
  const uint32_t record_bytes_;
  const uint64_t limit_bytes_;
  uint64_t extents_[ledger::kMaxExtents];
};

template <typename Record, typename Take>
absl::Status TableReader::ForEach(uint64_t first, Take take) const {
  constexpr uint64_t kRecords = kPieceBytes / sizeof(Record);
  std::vector<Record> piece(std::min(kRecords, count_));
  for (uint64_t index = first; index < count_ && !empty();) {
    const uint32_t extent = ExtentOf(index);
    const uint64_t start = ExtentStart(extent);
    const uint64_t end = std::min(count_, start + ExtentRecords(extent));
    const uint64_t records = std::min(kRecords, end - index);
    const uint64_t offset = extents_[extent] + (index - start) * sizeof(Record);
    const absl::Status read = ReadPiece(offset, piece.data(), records * sizeof(Record));
    if (!read.ok()) return read;
    for (uint64_t i = 0; i < records; ++i) take(index + i, piece[i]);
    index += records;
  }
  return absl::OkStatus();
}

}  // namespace mallocspy
