#include "tools/export/block_name.h"

#include "absl/strings/str_cat.h"

namespace mallocspy {

absl::string_view NameOf(ledger::Shape shape) {
  switch (shape) {
    case ledger::Shape::kUnknown:
      return "";
    case ledger::Shape::kObject:
      return "object";
    case ledger::Shape::kString:
      return "string";
    case ledger::Shape::kVector:
      return "vector";
    case ledger::Shape::kListNode:
      return "list node";
    case ledger::Shape::kTreeNode:
      return "tree node";
    case ledger::Shape::kHashNode:
      return "hash node";
    case ledger::Shape::kHashBuckets:
      return "hash buckets";
    case ledger::Shape::kDequeChunk:
      return "deque chunk";
    case ledger::Shape::kDequeMap:
      return "deque map";
  }
  return "";
}

absl::string_view NameOf(ledger::Reach reach) {
  switch (reach) {
    case ledger::Reach::kUnknown:
      return "unknown";
    case ledger::Reach::kDefinite:
      return "definite";
    case ledger::Reach::kIndirect:
      return "indirect";
    case ledger::Reach::kPossible:
      return "possible";
    case ledger::Reach::kReachable:
      return "reachable";
  }
  return "unknown";
}

std::vector<std::string> TypeNames(const Snapshot& snapshot, FrameNamer* namer) {
  std::vector<std::string> names;
  for (const SnapshotType& type : snapshot.types) {
    std::string& name = names.emplace_back();
    if (type.module == 0) continue;
    name = namer->NameType(snapshot, type);
    if (!name.empty()) continue;
    const std::string& path = snapshot.modules[type.module].path;
    name = absl::StrCat("object of ", path.substr(path.rfind('/') + 1), "+0x", absl::Hex(type.offset));
  }
  if (names.empty()) names.emplace_back();
  return names;
}

}  // namespace mallocspy
