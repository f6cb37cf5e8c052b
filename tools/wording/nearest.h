// Suggestions for words that nobody knows.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace mallocspy {

// How many letters must be changed, added or left out, or neighbours swapped, to make `to` of `from`.
size_t EditDistance(absl::string_view from, absl::string_view to);

// The one of `words` that was most likely meant; empty if none is near.
std::string Nearest(absl::string_view word, const std::vector<std::string>& words);

// " (did you mean 'x'?)", or nothing.
std::string DidYouMean(absl::string_view word, const std::vector<std::string>& words);

// "--fail-on: 'definit' is not one of none, any, definite (did you mean 'definite'?)".
std::string NotAmong(absl::string_view option, absl::string_view word, const std::vector<std::string>& words);

}  // namespace mallocspy
