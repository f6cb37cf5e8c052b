// How loudly formats with levels tell of a leak. Heap errors are always errors.
#pragma once

#include "tools/verdict/findings.h"

namespace mallocspy {

enum class Severity { kError, kWarning, kNote };

// What is still reachable is a note; what only inner pointers point at, a warning. Blocks of which reachability is not
// known are errors: they may be lost.
Severity SeverityOf(LeakClass leak_class);

}  // namespace mallocspy
