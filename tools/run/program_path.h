// Finds the program that a command names, as a shell does.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace mallocspy {

inline constexpr int kExitNotExecutable = 126;
inline constexpr int kExitNotFound = 127;

struct ProgramPath {
  std::string path;     // empty if it cannot be run
  int exit_status = 0;  // kExitNotExecutable or kExitNotFound then
  std::string problem;  // a sentence then
};

// A name with a slash is a path; any other is looked for in the directories of `search_path` (the value of PATH, null
// if it is not set).
ProgramPath FindProgram(const std::string& name, const char* search_path);

}  // namespace mallocspy
