// The end of a text report: what was counted, and everything that was lost on the way. Lines that would say zero are
// left out.
#pragma once

#include <string>

#include "tools/report/palette.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

void AppendReceipt(const Findings& findings, const Palette& palette, std::string* text);

}  // namespace mallocspy
