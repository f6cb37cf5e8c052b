#include "tools/report/error_text.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/report/text_stack.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

// "0x602000000010 (40 bytes, made by new[])"
std::string BlockText(const HeapError& error) {
  std::string text = absl::StrCat("0x", absl::Hex(error.address, absl::kZeroPad12));
  if (error.block_door == Door::kNone) return text;
  return absl::StrCat(text, " (", Count(error.size, "byte"), ", made by ", NameOf(error.block_door), ")");
}

std::string UsedText(const HeapError& error) {
  if (error.used_door == Door::kNone) return "at the end of the process";
  return absl::StrCat("used as one of ", NameOf(error.used_door));
}

// When damage was noticed: blocks are looked at when they are freed, at checks of the heap and at the end.
absl::string_view FoundText(const HeapError& error) {
  if (error.used_door != Door::kNone) return "found when it was freed";
  return error.where.empty() ? "found at the end of the process" : "found by a check of the heap";
}

// "3 bytes after the end of a 24-byte block": where the first changed byte lies.
std::string PositionText(const HeapError& error) {
  const auto offset = static_cast<int64_t>(error.value);
  const std::string block = absl::StrCat("the ", error.size, "-byte block");
  if (offset < 0) return absl::StrCat(Count(static_cast<uint64_t>(-offset), "byte"), " before ", block);
  if (error.value < error.size) return absl::StrCat("at offset ", offset, " of ", block);
  if (error.value == error.size) return absl::StrCat("right at the end of ", block);
  return absl::StrCat(Count(error.value - error.size, "byte"), " after the end of ", block);
}

std::string InvalidFreeText(const HeapError& error) {
  const std::string address = absl::StrCat("invalid-free of 0x", absl::Hex(error.address, absl::kZeroPad12));
  if (error.block_door == Door::kNone) return absl::StrCat(address, ", which is not the start of a block");
  return absl::StrCat(address, ", which lies ", Count(error.value, "byte"), " inside a block of ",
                      Count(error.size, "byte"), " made by ", NameOf(error.block_door));
}

// "written" or "read", of an access that was met as it happened.
absl::string_view AccessText(const HeapError& error) { return absl::EndsWith(error.kind, "-read") ? "read" : "written"; }

std::string ReferencesText(const HeapError& error) {
  const std::string object = absl::StrCat(error.detail.empty() ? "an object" : Escaped(error.detail), " at 0x",
                                          absl::Hex(error.address, absl::kZeroPad12));
  if (!error.where.empty()) return absl::StrCat("unbalanced-references: ", object, " was released once more than it was referenced");
  return absl::StrCat("unbalanced-references: ", object, error.freed.empty() ? " still has " : " was freed with ",
                      Count(error.value, "reference"), error.freed.empty() ? "" : " left");
}

// "2 references taken and 1 given back here:"
std::string CallsText(const ReferenceCall& call) {
  if (call.released == 0) return absl::StrCat(Count(call.added, "reference"), " taken here:");
  if (call.added == 0) return absl::StrCat(Count(call.released, "reference"), " given back here:");
  return absl::StrCat(Count(call.added, "reference"), " taken and ", call.released, " given back here:");
}

// What happened at the place where the error was met.
absl::string_view WhereText(const HeapError& error) {
  if (error.trapped) return AccessText(error) == "read" ? "read here:" : "written here:";
  if (error.kind == "bad-alignment" || error.kind == "spy-contract") return "called here:";
  if (error.kind == "double-free") return "freed again here:";
  if (error.kind == "unbalanced-references") return "released here:";
  if (error.kind == "use-after-free-write" || (error.used_door == Door::kNone && !error.where.empty())) return "found here:";
  return "freed here:";
}

}  // namespace

std::string ErrorHeadline(const HeapError& error) {
  const std::string block = BlockText(error);
  if (error.trapped) return absl::StrCat(error.kind, " of ", block, ", ", AccessText(error), " ", PositionText(error));
  if (error.kind == "invalid-free") return InvalidFreeText(error);
  if (error.kind == "mismatched-free") return absl::StrCat("mismatched-free of ", block, ", ", UsedText(error));
  if (error.kind == "heap-overflow") {
    return absl::StrCat("heap-overflow behind ", block, ", first changed byte at offset ", error.value, " (", PositionText(error), "), ",
                        FoundText(error));
  }
  if (error.kind == "heap-underflow") {
    return absl::StrCat("heap-underflow in front of ", block, ", ", FoundText(error));
  }
  if (error.kind == "use-after-free-write") {
    return absl::StrCat("use-after-free-write into ", block, ", first changed byte ", PositionText(error), ", ",
                        error.where.empty() ? "found at the end of the process"
                        : error.used_door == Door::kNone ? "found by a check of the heap" : "found as it left the quarantine");
  }
  if (error.kind == "sized-delete-mismatch") {
    return absl::StrCat("sized-delete-mismatch of ", block, ", deleted as ", Count(error.value, "byte"));
  }
  if (error.kind == "bad-alignment") {
    return absl::StrCat("bad-alignment: ", error.value, " was asked for a block of ", Count(error.size, "byte"), " (",
                        NameOf(error.used_door), ")");
  }
  if (error.kind == "spy-contract") return absl::StrCat("spy-contract: ", Escaped(error.detail));
  if (error.kind == "unbalanced-references") return ReferencesText(error);
  return absl::StrCat(error.kind, " of ", block);
}

std::vector<NamedStack> ErrorStacks(const HeapError& error) {
  std::vector<NamedStack> stacks;
  const auto add = [&stacks](absl::string_view name, const std::vector<Frame>& frames) {
    if (!frames.empty()) stacks.push_back({std::string(name), &frames});
  };
  for (const ReferenceCall& call : error.references) add(CallsText(call), call.frames);
  add(WhereText(error), error.where);
  add("allocated here:", error.allocated);
  add(error.kind == "double-free" ? "freed first here:" : "freed here:", error.freed);
  return stacks;
}

void AppendError(const HeapError& error, uint32_t pid, const Palette& palette, std::string* text) {
  absl::StrAppend(text, palette.error, "==", pid, "==ERROR: mallocspy: ", ErrorHeadline(error), palette.reset);
  if (error.count > 1) absl::StrAppend(text, " [", error.count, " times]");
  absl::StrAppend(text, "\n");
  if (error.tid != 0) {
    absl::StrAppend(text, "  in thread ", error.tid);
    if (!error.thread_name.empty()) absl::StrAppend(text, " (", Escaped(error.thread_name), ")");
    absl::StrAppend(text, "\n");
  }
  const std::vector<NamedStack> stacks = ErrorStacks(error);
  for (const NamedStack& stack : stacks) {
    absl::StrAppend(text, "  ", stack.name, "\n");
    AppendStack(*stack.frames, text);
  }
  if (stacks.empty()) AppendStack({}, text);
  absl::StrAppend(text, "\n");
}

}  // namespace mallocspy
