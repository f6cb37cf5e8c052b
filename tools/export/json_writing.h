// Pieces of JSON for exports that are written as they are made.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace mallocspy {

// `text` as a JSON string with its quotes; what is no UTF-8 is replaced.
std::string JsonString(absl::string_view text);

}  // namespace mallocspy
