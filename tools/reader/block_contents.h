// The blocks' own bytes, of a dump that has them (ledger::Contents::kFull): read from its file when they are asked for.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/reader/byte_source.h"
#include "tools/reader/snapshot.h"

namespace mallocspy {

class BlockContents {
 public:
  // The file of the snapshot, which has the bytes.
  static absl::StatusOr<std::unique_ptr<BlockContents>> Open(const Snapshot& snapshot);
  // `source` must outlive this object.
  BlockContents(const Snapshot& snapshot, const ByteSource* source);

  // At most `bytes` of the block's from `offset` on: fewer where it ends.
  absl::StatusOr<std::string> Read(uint32_t block, uint64_t offset, uint64_t bytes) const;

 private:
  const Snapshot& snapshot_;
  std::unique_ptr<FileSource> file_;
  const ByteSource* source_;
  std::vector<uint64_t> starts_;  // by block: from the first block's on
};

}  // namespace mallocspy
