#include "tools/reader/table_reader.h"

#include <bit>

#include "absl/strings/str_cat.h"

namespace mallocspy {

TableReader::TableReader(const ByteSource& source, absl::string_view name, const ledger::Table& table,
                         uint32_t record_bytes, uint64_t limit_bytes)
    : source_(source),
      name_(name),
      count_(table.count.load(std::memory_order_relaxed)),
      stated_record_bytes_(table.record_bytes),
      first_records_(table.first_records),
      record_bytes_(record_bytes),
      limit_bytes_(limit_bytes) {
  std::copy(std::begin(table.extents), std::end(table.extents), extents_);
}

uint64_t TableReader::ExtentStart(uint32_t extent) const {
  return extent == 0 ? 0 : static_cast<uint64_t>(first_records_) << (extent - 1);
}

uint64_t TableReader::ExtentRecords(uint32_t extent) const {
  return extent == 0 ? first_records_ : ExtentStart(extent);
}

uint32_t TableReader::ExtentOf(uint64_t index) const {
  return static_cast<uint32_t>(std::bit_width(index / first_records_));
}

absl::Status TableReader::Damaged(absl::string_view what) const {
  return absl::DataLossError(absl::StrCat("is damaged: its table of ", name_, " ", what));
}

absl::Status TableReader::Check(uint64_t most_records) const {
  if (stated_record_bytes_ != record_bytes_) {
    return Damaged(absl::StrCat("has records of ", stated_record_bytes_, " bytes, not of ", record_bytes_));
  }
  if (!std::has_single_bit(first_records_)) return Damaged("grows in an impossible way");
  if (count_ > most_records) return Damaged(absl::StrCat("claims ", count_, " records"));
  for (uint64_t index = 0; index < count_ && !empty();) {
    const uint32_t extent = ExtentOf(index);
    if (extent >= ledger::kMaxExtents) return Damaged("has too many extents");
    const uint64_t records = std::min(count_ - index, ExtentRecords(extent));
    const uint64_t offset = extents_[extent];
    // Neither product overflows: both factors were bounded by `most_records` and the record's size.
    if (offset % ledger::kPageBytes != 0 || offset < ledger::kPageBytes || offset > limit_bytes_ ||
        records * record_bytes_ > limit_bytes_ - offset) {
      return Damaged("lies outside of the file");
    }
    index += records;
  }
  return absl::OkStatus();
}

absl::Status TableReader::ReadPiece(uint64_t offset, void* to, uint64_t bytes) const {
  // Keeps a small file with an enormous hole from filling the memory with zeros.
  if (source_.NextData(offset) > offset + kLongestHoleBytes) return Damaged("is hollow");
  if (!source_.Read(offset, to, bytes)) return Damaged("ends too early");
  return absl::OkStatus();
}

bool TableReader::ReadString(ledger::StringRef reference, uint64_t most_bytes, std::string* text) const {
  text->clear();
  if (reference.length == 0) return true;
  const uint64_t end = uint64_t{reference.offset} + reference.length;
  if (end > count_ || reference.length > most_bytes) return false;
  const uint32_t extent = ExtentOf(reference.offset);
  if (ExtentOf(end - 1) != extent) return false;
  text->resize(reference.length);
  return source_.Read(extents_[extent] + (reference.offset - ExtentStart(extent)), text->data(), text->size());
}

}  // namespace mallocspy
