#include "tools/explore/terminal_width.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/numbers.h"

namespace mallocspy {

size_t TerminalWidth(int descriptor) {
  struct winsize size = {};
  if (isatty(descriptor) != 0 && ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col != 0) return size.ws_col;
  const char* const columns = std::getenv("COLUMNS");
  uint64_t width = 0;
  return columns != nullptr && absl::SimpleAtoi(columns, &width) ? width : 0;
}

}  // namespace mallocspy
