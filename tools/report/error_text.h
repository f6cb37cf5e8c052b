// One heap error as text: a headline and its stacks.
#pragma once

#include <cstdint>
#include <string>

#include "tools/report/palette.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

void AppendError(const HeapError& error, uint32_t pid, const Palette& palette, std::string* text);

}  // namespace mallocspy
