// The last part of a path.
#pragma once

#include "absl/strings/string_view.h"

namespace mallocspy {

// Behind its last slash; all of it if it has none.
inline absl::string_view BaseName(absl::string_view path) { return path.substr(path.rfind('/') + 1); }  // npos + 1 is 0

}  // namespace mallocspy
