// Lines of a terminal, by libedit: arrow keys, history, completion by the tabulator key.
#pragma once

#include <memory>

#include "tools/explore/command_input.h"

namespace mallocspy {

// Of standard input and output, which must be a terminal; null if libedit cannot use it.
std::unique_ptr<CommandInput> OpenLineEditor(Explorer* explorer);

}  // namespace mallocspy
