#include "tools/export/block_name.h"

#include "tools/graph/type_names.h"

namespace mallocspy {

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

std::vector<std::string> ClassNames(const Snapshot& snapshot, FrameNamer* namer) {
  TypeNames types(snapshot, namer);
  std::vector<std::string> names(1);
  for (size_t i = 1; i < snapshot.types.size(); ++i) names.push_back(types.OfKind(static_cast<uint32_t>(ledger::kLastShape) + static_cast<uint32_t>(i)));
  return names;
}

}  // namespace mallocspy
