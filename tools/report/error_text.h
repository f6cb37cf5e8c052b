// One heap error as text: a headline and its stacks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/report/palette.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

// "double-free of 0x602000000020": what happened, on one line and escaped.
std::string ErrorHeadline(const HeapError& error);

// The stacks that are known, that of the place where the error was met first.
struct NamedStack {
  std::string name;  // "freed again here:"
  const std::vector<Frame>* frames;
};
std::vector<NamedStack> ErrorStacks(const HeapError& error);

// All of it, with an empty line at the end.
void AppendError(const HeapError& error, uint32_t pid, const Palette& palette, std::string* text);

}  // namespace mallocspy
