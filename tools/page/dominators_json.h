// What keeps how much alive, as page_data.h describes `dominators`.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "tools/page/stack_tree.h"
#include "tools/reader/snapshot.h"
#include "tools/verdict/frame_namer.h"

namespace mallocspy {

// Of a snapshot that has the graph. Adds the labels to the tree's texts.
nlohmann::ordered_json DominatorsJson(const Snapshot& snapshot, FrameNamer* namer, StackTree* tree);

}  // namespace mallocspy
