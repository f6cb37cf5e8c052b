// `mallocspy serve`: the page of a heap, while it changes.
#pragma once

#include <string>
#include <vector>

#include "tools/command/option_parser.h"

namespace mallocspy {

int ServeCommand(const std::vector<std::string>& arguments);
const std::vector<Option>& ServeOptions();

}  // namespace mallocspy
