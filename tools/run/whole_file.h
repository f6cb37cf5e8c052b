// A new file that is there whole or not at all: written beside its place under another name, and renamed at the end.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace mallocspy {

class WholeFile {
 public:
  // Readable by its owner only. An old file at `path` is replaced in the end; what is no regular file is an error.
  static absl::StatusOr<std::unique_ptr<WholeFile>> Create(const std::string& path);
  ~WholeFile();
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  int descriptor() const { return descriptor_; }
  absl::Status Write(const void* data, size_t size, uint64_t offset);
  // What it holds by now is all of it. Nothing else may be done afterwards.
  absl::Status Commit();

 private:
  WholeFile(std::string path, std::string temporary, int descriptor)
      : path_(std::move(path)), temporary_(std::move(temporary)), descriptor_(descriptor) {}

  const std::string path_;
  const std::string temporary_;
  int descriptor_;
};

}  // namespace mallocspy
