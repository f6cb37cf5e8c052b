// The suppressions that come with mallocspy: what libc, libstdc++ and the loader keep once for ever.
#pragma once

#include <vector>

#include "absl/strings/string_view.h"
#include "tools/verdict/suppression.h"

namespace mallocspy {

// As text in the form of suppression_file.h.
absl::string_view BuiltInSuppressionsText();

// The same, parsed. They leave leaks of unknown class alone: such a block may be the program's.
std::vector<Suppression> BuiltInSuppressions();

}  // namespace mallocspy
