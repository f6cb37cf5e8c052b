// How wide the text on a terminal may be.
#pragma once

#include <cstddef>

namespace mallocspy {

// Columns of the terminal at `descriptor`; of anything else what COLUMNS in the environment says; 0 for no limit.
size_t TerminalWidth(int descriptor);

}  // namespace mallocspy
