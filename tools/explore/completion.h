// What the tabulator key offers.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/explore/explorer.h"

namespace mallocspy {

struct Completion {
  size_t begin = 0;                     // of the text that a candidate takes the place of; it reaches to the end
  std::vector<std::string> candidates;  // each begins like that text, but that it may be quoted
  bool ends_word = true;                // a blank may follow
};

// `line`: up to the cursor. Names of functions and classes are looked up when it is their turn.
Completion Complete(absl::string_view line, Explorer* explorer);

// What all of `texts` begin with.
std::string CommonBeginning(const std::vector<std::string>& texts);

}  // namespace mallocspy
