// One whole text, compressed as gzip does it.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mallocspy {

// An error if memory runs out. The same text gives the same bytes.
absl::StatusOr<std::string> Gzip(absl::string_view text);

}  // namespace mallocspy
