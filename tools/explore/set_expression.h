// Sets put together: `A & B` (in both), `A | B` (in either), `A - B` (in A only), with parentheses; else from left to right.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/explore/block_set.h"

namespace mallocspy {

using NamedSets = std::map<std::string, BlockSet>;

// Letters, digits and "_", no digit first.
bool IsSetName(absl::string_view word);

// Words with operators and parentheses apart: "(A&B)" becomes "(", "A", "&", "B", ")".
std::vector<std::string> SetTokens(const std::vector<std::string>& words);

// The value of the expression that begins at words[*next], which is moved behind it.
absl::StatusOr<BlockSet> EvaluateSets(const std::vector<std::string>& words, const NamedSets& sets, size_t* next);

}  // namespace mallocspy
