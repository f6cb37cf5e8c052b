#include "tools/report/palette.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace mallocspy {

const Palette& PaletteFor(int descriptor) {
  const char* const no_color = std::getenv("NO_COLOR");
  const char* const term = std::getenv("TERM");
  if (no_color != nullptr && *no_color != '\0') return kPlain;
  if (term == nullptr || std::strcmp(term, "dumb") == 0) return kPlain;
  return isatty(descriptor) == 1 ? kColoured : kPlain;
}

}  // namespace mallocspy
