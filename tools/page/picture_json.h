// One snapshot with its findings, as page_data.h describes a picture.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "absl/strings/string_view.h"
#include "tools/page/stack_tree.h"
#include "tools/reader/snapshot.h"
#include "tools/verdict/findings.h"
#include "tools/verdict/frame_namer.h"

namespace mallocspy {

// `snapshot` is null if only the findings are known. Adds the stacks to the tree.
nlohmann::ordered_json PictureJson(const Findings& findings, const Snapshot* snapshot, FrameNamer* namer,
                                   StackTree* tree);

nlohmann::ordered_json TotalJson(const BlockTotal& total);
nlohmann::ordered_json JsonTextOf(absl::string_view text);  // Escaped(): it is there to be read

}  // namespace mallocspy
