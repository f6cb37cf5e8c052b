#include "tools/verdict/stack_line.h"

#include "absl/strings/str_cat.h"
#include "tools/verdict/own_program.h"
#include "tools/wording/base_name.h"

namespace mallocspy {

std::string FrameName(const Frame& frame) {
  if (!frame.function.empty()) return frame.function;
  if (frame.module.empty()) return absl::StrCat("0x", absl::Hex(frame.address));
  return absl::StrCat(BaseName(frame.module), "+0x", absl::Hex(frame.offset));
}

std::string StackLine(const std::vector<Frame>& frames) {
  constexpr size_t kMostFrames = 4;
  if (frames.empty()) return "(not known)";
  size_t own = 0;
  while (own < frames.size() && !frames[own].module.empty() && IsSystemPath(frames[own].module)) ++own;
  if (own == frames.size()) own = 0;  // all of it is the system's
  std::string line = FrameName(frames[own]);
  for (size_t i = own + 1; i < frames.size() && i < own + kMostFrames; ++i) absl::StrAppend(&line, " < ", FrameName(frames[i]));
  return line;
}

}  // namespace mallocspy
