#include "tools/export/byte_sink.h"

#include "tools/report/report_sink.h"

namespace mallocspy {
namespace {

constexpr size_t kMostHeld = size_t{1} << 16;

}  // namespace

void ByteSink::Append(absl::string_view bytes) {
  std::string& place = text_ != nullptr ? *text_ : held_;
  place.append(bytes.data(), bytes.size());
  if (held_.size() >= kMostHeld) Flush();
}

absl::Status ByteSink::Finish() {
  Flush();
  return status_;
}

void ByteSink::Flush() {
  if (status_.ok() && !held_.empty()) status_ = WriteAll(descriptor_, held_);
  held_.clear();
}

}  // namespace mallocspy
