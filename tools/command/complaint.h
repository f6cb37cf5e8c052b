// Messages of the command itself.
#pragma once

#include "absl/strings/string_view.h"

namespace mallocspy {

// "mallocspy: SENTENCE" on standard error.
void Complain(absl::string_view sentence);

// The same, followed by where to find help; the exit status for it.
int UsageError(absl::string_view sentence, absl::string_view command);

}  // namespace mallocspy
