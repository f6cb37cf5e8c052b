// Names of functions of the C library: its debug symbols give them many.
#pragma once

#include "absl/strings/string_view.h"

namespace mallocspy {

// In front of names that libc uses inside.
inline constexpr absl::string_view kInsideLibc = "__GI_";

// "strdup" of "__GI___strdup" and of "__strdup".
absl::string_view PublicName(absl::string_view function);

}  // namespace mallocspy
