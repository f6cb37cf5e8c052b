#include "tools/report/text_stack.h"

#include "absl/strings/str_cat.h"
#include "tools/wording/escape.h"

namespace mallocspy {

std::string FrameText(size_t number, const Frame& frame) {
  std::string text = absl::StrCat("    #", number);
  // A frame that was read from a report has no address.
  if (frame.address != 0) absl::StrAppend(&text, " 0x", absl::Hex(frame.address, absl::kZeroPad12));
  if (!frame.function.empty()) absl::StrAppend(&text, " in ", Escaped(frame.function));
  if (!frame.file.empty()) {
    absl::StrAppend(&text, frame.function.empty() ? " in " : " ", Escaped(frame.file));
    if (frame.line > 0) absl::StrAppend(&text, ":", frame.line);
    if (frame.line > 0 && frame.column > 0) absl::StrAppend(&text, ":", frame.column);
    return text;
  }
  if (frame.module.empty()) return frame.function.empty() ? text + " (code of no module)" : text;
  absl::StrAppend(&text, " (", Escaped(frame.module), "+0x", absl::Hex(frame.offset), ")");
  if (!frame.build_id.empty()) absl::StrAppend(&text, " (BuildId: ", frame.build_id, ")");
  return text;
}

void AppendStack(const std::vector<Frame>& frames, std::string* text) {
  if (frames.empty()) absl::StrAppend(text, "    (stack not known)\n");
  for (size_t i = 0; i < frames.size(); ++i) absl::StrAppend(text, FrameText(i, frames[i]), "\n");
}

}  // namespace mallocspy
