#include "tools/reader/block_contents.h"

#include <algorithm>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

namespace mallocspy {

absl::StatusOr<std::unique_ptr<BlockContents>> BlockContents::Open(const Snapshot& snapshot) {
  absl::StatusOr<std::unique_ptr<FileSource>> file = FileSource::Open(snapshot.file);
  if (!file.ok()) return file.status();
  auto contents = std::make_unique<BlockContents>(snapshot, file->get());
  contents->file_ = *std::move(file);
  return contents;
}

BlockContents::BlockContents(const Snapshot& snapshot, const ByteSource* source) : snapshot_(snapshot), source_(source) {
  starts_.reserve(snapshot.blocks.size());
  uint64_t start = 0;
  for (const SnapshotBlock& block : snapshot.blocks) {
    starts_.push_back(start);
    const uint64_t words = block.size / sizeof(uint64_t) + (block.size % sizeof(uint64_t) != 0 ? 1 : 0);
    // What lies behind the end is refused below.
    start += std::min(words, snapshot.content_bytes.count / sizeof(uint64_t) + 1) * sizeof(uint64_t);
  }
}

absl::StatusOr<std::string> BlockContents::Read(uint32_t block, uint64_t offset, uint64_t bytes) const {
  const uint64_t size = snapshot_.blocks[block].size;
  std::string text(offset < size ? std::min(bytes, size - offset) : 0, '\0');
  const uint64_t from = starts_[block] + offset;
  const uint64_t limit = snapshot_.content_bytes.count;
  if (text.empty()) return text;
  if (from > limit || text.size() > limit - from || !source_->Read(snapshot_.content_bytes.offset + from, text.data(), text.size())) {
    return absl::DataLossError(absl::StrCat(snapshot_.file, " does not have the bytes of that block: it is damaged, or was changed"));
  }
  return text;
}

}  // namespace mallocspy
