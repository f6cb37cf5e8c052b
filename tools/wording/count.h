// Numbers with their nouns, and names of signals.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace mallocspy {

// "1 block", "2 blocks", "1234567 bytes".
std::string Count(uint64_t number, absl::string_view noun);
std::string Count(uint64_t number, absl::string_view noun, absl::string_view plural);

// "SIGKILL"; "signal 40" for one without a name.
std::string SignalName(int signal);

}  // namespace mallocspy
