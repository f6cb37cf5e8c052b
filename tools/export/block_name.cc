#include "tools/export/block_name.h"

#include "tools/graph/type_names.h"

namespace mallocspy {

std::vector<std::string> ClassNames(const Snapshot& snapshot, FrameNamer* namer) {
  TypeNames types(snapshot, namer);
  std::vector<std::string> names(1);
  for (size_t i = 1; i < snapshot.types.size(); ++i) names.push_back(types.OfKind(static_cast<uint32_t>(ledger::kLastShape) + static_cast<uint32_t>(i)));
  return names;
}

}  // namespace mallocspy
