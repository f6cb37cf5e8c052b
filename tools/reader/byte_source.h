// Where a ledger's bytes come from: a file, or memory in tests. A source may change or end while it is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mallocspy {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Bytes that can be read; a sparse file counts with its holes.
  virtual uint64_t Size() const = 0;
  // Copies `bytes` bytes at `offset`. False if not all of them are there.
  virtual bool Read(uint64_t offset, void* to, size_t bytes) const = 0;
  // The first offset from `offset` on that is not in a hole; Size() if nothing but hole follows.
  virtual uint64_t NextData(uint64_t offset) const = 0;
};

// Bytes that someone else keeps alive.
class MemorySource : public ByteSource {
 public:
  explicit MemorySource(absl::string_view bytes) : bytes_(bytes) {}
  uint64_t Size() const override { return bytes_.size(); }
  bool Read(uint64_t offset, void* to, size_t bytes) const override;
  uint64_t NextData(uint64_t offset) const override { return offset; }

 private:
  absl::string_view bytes_;
};

// A regular file or memfd, by pread: a file that shrinks meanwhile is an error and no SIGBUS.
class FileSource : public ByteSource {
 public:
  static absl::StatusOr<std::unique_ptr<FileSource>> Open(const std::string& path);
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  uint64_t Size() const override { return size_; }
  bool Read(uint64_t offset, void* to, size_t bytes) const override;
  uint64_t NextData(uint64_t offset) const override;
  int descriptor() const { return descriptor_; }

 private:
  FileSource(int descriptor, uint64_t size) : descriptor_(descriptor), size_(size) {}
  const int descriptor_;
  const uint64_t size_;
};

}  // namespace mallocspy
