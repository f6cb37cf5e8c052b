// Text of unknown origin (names of symbols, paths, command lines), made safe to print.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace mallocspy {

// `text` on one line, without anything that a terminal would obey: control characters, bytes that are not UTF-8 and
// characters that turn the direction of writing become \xNN or \u{NNNN}. A backslash stays itself.
std::string Escaped(absl::string_view text);

// `text` with every byte sequence that is not UTF-8 replaced, as JSON demands.
std::string ValidUtf8(absl::string_view text);

}  // namespace mallocspy
