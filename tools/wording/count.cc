#include "tools/wording/count.h"

#include <csignal>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace mallocspy {

std::string Count(uint64_t number, absl::string_view noun) {
  return absl::StrCat(number, " ", noun, number == 1 ? "" : "s");
}

std::string Count(uint64_t number, absl::string_view noun, absl::string_view plural) {
  return absl::StrCat(number, " ", number == 1 ? noun : plural);
}

std::string SignalName(int signal) {
  const char* const name = sigabbrev_np(signal);
  return name != nullptr ? absl::StrCat("SIG", name) : absl::StrCat("signal ", signal);
}

}  // namespace mallocspy
