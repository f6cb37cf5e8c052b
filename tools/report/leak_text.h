// One leak in words, for the formats that show each by itself.
#pragma once

#include <string>
#include <vector>

#include "tools/verdict/findings.h"

namespace mallocspy {

// "leak of 80 bytes in 2 blocks, made by new[]"; with the class in front when it is known.
std::string LeakHeadline(const Leak& leak);

// "1 smaller leak of 4 bytes in 2 blocks": those beyond the ones that are listed; empty if all are.
std::string UnlistedLeaks(const Findings& findings);

// The function that made the blocks, and where: "make_node at tree.c:31". The first frame inside `own`, if not null,
// else the first that has a name.
std::string PlaceText(const std::vector<Frame>& frames, const Frame* own);

}  // namespace mallocspy
