// How much room a text takes on a terminal: one place for each character, which is right for all but few scripts.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace mallocspy {

// `text` is valid UTF-8, as Escaped() gives it.
size_t TextWidth(absl::string_view text);

// `text`, if it is wider than `width` (> 0) its beginning and a mark that it was cut.
std::string CutToWidth(absl::string_view text, size_t width);

}  // namespace mallocspy
