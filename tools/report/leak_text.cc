#include "tools/report/leak_text.h"

#include "absl/strings/str_cat.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

absl::string_view Noun(LeakClass leak_class) {
  switch (leak_class) {
    case LeakClass::kDefinite:
      return "definite leak";
    case LeakClass::kIndirect:
      return "indirect leak";
    case LeakClass::kPossible:
      return "possible leak";
    case LeakClass::kReachable:
      return "still reachable memory";
    case LeakClass::kUnknown:
      return "leak";
  }
  return "leak";
}

}  // namespace

std::string LeakHeadline(const Leak& leak) {
  return absl::StrCat(Noun(leak.leak_class), " of ", Count(leak.bytes, "byte"), " in ", Count(leak.blocks, "block"),
                      leak.door == Door::kNone ? "" : ", made by ", NameOf(leak.door));
}

std::string UnlistedLeaks(const Findings& findings) {
  const uint64_t more = findings.leak_groups - findings.leaks.size();
  if (more == 0) return "";
  uint64_t blocks = findings.leak_blocks, bytes = findings.leak_bytes;
  for (const Leak& leak : findings.leaks) {
    blocks -= leak.blocks;
    bytes -= leak.bytes;
  }
  return absl::StrCat(Count(more, "smaller leak"), " of ", Count(bytes, "byte"), " in ", Count(blocks, "block"));
}

std::string PlaceText(const std::vector<Frame>& frames, const Frame* own) {
  const Frame* shown = own;
  for (const Frame& frame : frames) {
    if (shown == nullptr && !frame.function.empty()) shown = &frame;
  }
  if (shown == nullptr && !frames.empty()) shown = &frames[0];
  if (shown == nullptr) return "stack not known";
  std::string text = Escaped(shown->function);
  if (!shown->file.empty()) {
    absl::StrAppend(&text, text.empty() ? "" : " at ", Escaped(shown->file));
    if (shown->line > 0) absl::StrAppend(&text, ":", shown->line);
  } else if (!shown->module.empty()) {
    absl::StrAppend(&text, text.empty() ? "" : " in ", Escaped(shown->module));
    if (shown->function.empty()) absl::StrAppend(&text, "+0x", absl::Hex(shown->offset));
  }
  return text.empty() ? "code of no module" : text;
}

}  // namespace mallocspy
