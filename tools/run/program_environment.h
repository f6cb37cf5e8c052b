// The environment of the program under test: ours, with what makes the loader and the library do their work.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace mallocspy {

struct Preload {
  std::string library;  // absolute, without a character that LD_PRELOAD takes for a separator
  std::string run_directory;
  std::vector<std::string> spies;  // as ResolveSpy() gives them
  bool follow = true;
  bool ownership = false;
  std::string on_error = {};  // empty: as MALLOCSPY_OPTIONS say
};

// "NAME=value" strings. Only LD_PRELOAD, MALLOCSPY_RUN, MALLOCSPY_SPIES and, where `preload` asks for options of the library,
// MALLOCSPY_OPTIONS differ from `environment`, which ends with a null pointer.
std::vector<std::string> ProgramEnvironment(const char* const* environment, const Preload& preload);

// The library's path as LD_PRELOAD takes it, which splits at blanks and colons: a link in `directory` stands for one that has them. The error
// says what to do.
absl::StatusOr<std::string> PreloadablePath(const std::string& library, const std::string& directory);

// The same environment unchanged, for a program that cannot be recorded.
std::vector<std::string> PlainEnvironment(const char* const* environment);

}  // namespace mallocspy
