// Where libmallocspy.so and the spies that come with it are.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mallocspy {

// Absolute path of libmallocspy.so: MALLOCSPY_LIBRARY, else beside this command (../lib). The error says where it was
// looked for.
absl::StatusOr<std::string> FindLibrary();

// The library and arguments of one --spy value, "LIB.so[:ARGS]" or "NAME[:ARGS]", as MALLOCSPY_SPIES wants it: with an
// absolute path. A bare NAME is libmallocspy_NAME.so beside `library`.
absl::StatusOr<std::string> ResolveSpy(absl::string_view spy, const std::string& library);

}  // namespace mallocspy
