#include "tools/export/folded_export.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

// A semicolon ends a function in this format, which has no way to quote one.
std::string Part(const Frame& frame) { return absl::StrReplaceAll(Escaped(FrameName(frame)), {{";", ":"}}); }

}  // namespace

void WriteFolded(const NamedStacks& stacks, uint64_t StackCounts::*value, ByteSink* sink) {
  std::vector<std::string> parts;  // by site, outermost function first
  for (const NamedSite& site : stacks.sites()) {
    std::string& part = parts.emplace_back();
    for (auto frame = site.frames.rbegin(); frame != site.frames.rend(); ++frame) {
      absl::StrAppend(&part, part.empty() ? "" : ";", Part(*frame));
    }
  }
  std::map<std::string, uint64_t> lines;
  for (const NamedStack& stack : stacks.stacks()) {
    if (stack.counts.*value == 0) continue;
    const std::vector<uint32_t> sites = stacks.SitesOf(stack);
    std::string line;
    for (auto site = sites.rbegin(); site != sites.rend(); ++site) absl::StrAppend(&line, line.empty() ? "" : ";", parts[*site]);
    lines[line.empty() ? kUnknownStack : line] += stack.counts.*value;
  }
  for (const auto& [line, sum] : lines) sink->Append(absl::StrCat(line, " ", sum, "\n"));
}

}  // namespace mallocspy
