// Colours of a report on a terminal; empty strings elsewhere.
#pragma once

namespace mallocspy {

struct Palette {
  const char* error = "";    // what went wrong
  const char* heading = "";  // of a leak
  const char* good = "";
  const char* faint = "";  // what few readers need
  const char* reset = "";
};

inline constexpr Palette kPlain = {};
inline constexpr Palette kColoured = {"\x1b[1;31m", "\x1b[1;35m", "\x1b[1;32m", "\x1b[2m", "\x1b[0m"};

// kColoured if `descriptor` is a terminal that wants colours (NO_COLOR and TERM=dumb do not), else kPlain.
const Palette& PaletteFor(int descriptor);

}  // namespace mallocspy
