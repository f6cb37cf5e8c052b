#include "tools/graph/type_names.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace mallocspy {

absl::string_view NameOf(ledger::Shape shape) {
  switch (shape) {
    case ledger::Shape::kUnknown:
      return "(unknown)";
    case ledger::Shape::kObject:
      return "(object)";
    case ledger::Shape::kString:
      return "(std::string characters)";
    case ledger::Shape::kVector:
      return "(std::vector elements)";
    case ledger::Shape::kListNode:
      return "(std::list node)";
    case ledger::Shape::kTreeNode:
      return "(std::map or std::set node)";
    case ledger::Shape::kHashNode:
      return "(std::unordered_map or std::unordered_set node)";
    case ledger::Shape::kHashBuckets:
      return "(buckets of a std::unordered_map or std::unordered_set)";
    case ledger::Shape::kDequeChunk:
      return "(std::deque elements)";
    case ledger::Shape::kDequeMap:
      return "(std::deque map)";
  }
  return "(unknown)";
}

absl::string_view ShapeWord(ledger::Shape shape) {
  switch (shape) {
    case ledger::Shape::kUnknown:
      return "unknown";
    case ledger::Shape::kObject:
      return "object";
    case ledger::Shape::kString:
      return "string";
    case ledger::Shape::kVector:
      return "vector";
    case ledger::Shape::kListNode:
      return "list-node";
    case ledger::Shape::kTreeNode:
      return "tree-node";
    case ledger::Shape::kHashNode:
      return "hash-node";
    case ledger::Shape::kHashBuckets:
      return "hash-buckets";
    case ledger::Shape::kDequeChunk:
      return "deque-chunk";
    case ledger::Shape::kDequeMap:
      return "deque-map";
  }
  return "unknown";
}

absl::string_view ReachWord(ledger::Reach reach) {
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

const std::string& TypeNames::OfKind(uint32_t kind) {
  if (names_.empty()) names_.resize(std::max<size_t>(kinds(), static_cast<size_t>(ledger::kLastShape) + 1));
  std::string& name = names_[kind];
  if (name.empty()) name = Find(kind);
  return name;
}

std::string TypeNames::Find(uint32_t kind) const {
  constexpr auto kShapes = static_cast<uint32_t>(ledger::kLastShape);
  if (kind <= kShapes) return std::string(NameOf(static_cast<ledger::Shape>(kind)));
  const SnapshotType& type = snapshot_.types[kind - kShapes];
  const SnapshotModule& module = snapshot_.modules[type.module];
  if (module.path.empty()) return absl::StrCat("(class at 0x", absl::Hex(type.offset), ")");
  const std::string symbol = namer_.FindData(module, type.offset).name;
  absl::string_view name = symbol;
  // While an object is built or destroyed, or as a part of another one, it may have a table of its own.
  if (absl::ConsumePrefix(&name, "vtable for ") || absl::ConsumePrefix(&name, "construction vtable for ")) return std::string(name);
  const size_t slash = module.path.rfind('/');
  return absl::StrCat("(class at ", module.path.substr(slash == std::string::npos ? 0 : slash + 1), "+0x", absl::Hex(type.offset), ")");
}

}  // namespace mallocspy
