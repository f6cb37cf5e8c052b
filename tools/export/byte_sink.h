// Where an export goes, piece by piece: a descriptor or a string. Large exports are never in memory as a whole.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace mallocspy {

class ByteSink {
 public:
  explicit ByteSink(int descriptor) : descriptor_(descriptor) {}
  explicit ByteSink(std::string* text) : text_(text) {}
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;

  void Append(absl::string_view bytes);

  // Writes what is still held back. The first error of all that was written; after one nothing is written.
  absl::Status Finish();

 private:
  void Flush();

  const int descriptor_ = -1;
  std::string* const text_ = nullptr;
  std::string held_;
  absl::Status status_;
};

}  // namespace mallocspy
