// The options of the library (MALLOCSPY_OPTIONS), looked at before a program gets them.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace mallocspy {

// What is wrong with the first bad item of "key=value:key=value", and what was probably meant; empty if all is well.
std::string LibraryOptionsProblem(absl::string_view options);

// A line for each option: name, choices, default and help.
std::string LibraryOptionsHelp();

}  // namespace mallocspy
