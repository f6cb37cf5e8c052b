// What there is to say of a block, in a word.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "allocator/ledger/format.h"
#include "tools/reader/snapshot.h"
#include "tools/verdict/frame_namer.h"

namespace mallocspy {

// The names of all of Snapshot::types, by index; empty for what has none.
std::vector<std::string> ClassNames(const Snapshot& snapshot, FrameNamer* namer);

}  // namespace mallocspy
