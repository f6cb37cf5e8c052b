#include "tools/graph/making_functions.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/verdict/public_name.h"

namespace mallocspy {
namespace {

absl::string_view FileName(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

// Whether it makes blocks on its caller's behalf and says nothing about whose they are.
bool IsLibraryFunction(const std::string& function) {
  // "void std::vector<...>::_M_realloc_insert<...>(...)" begins with what it returns.
  const size_t parameters = function.find('(');
  const absl::string_view name = absl::string_view(function).substr(0, parameters);
  for (const absl::string_view begin : {"std::", "__gnu_cxx::", "operator new"}) {
    const size_t at = name.find(begin);
    const size_t arguments = name.find('<');
    if (at != absl::string_view::npos && (arguments == absl::string_view::npos || at < arguments) && (at == 0 || name[at - 1] == ' ')) {
      return true;
    }
  }
  return false;
}

}  // namespace

const std::string& MakingFunctions::Of(uint32_t stack) {
  if (names_.empty()) names_.resize(snapshot_.stacks.size());
  std::string& name = names_[stack];
  if (name.empty()) name = Find(stack);
  return name;
}

std::string MakingFunctions::Find(uint32_t stack) const {
  std::string first;  // of those that say little
  size_t frames = 0;
  for (uint32_t node = snapshot_.stacks[stack].node; node != 0 && frames < FrameNamer::kMostFrames;
       node = snapshot_.nodes[node].parent, ++frames) {
    const uint64_t site = snapshot_.nodes[node].site;
    const SnapshotModule& module = snapshot_.modules[site >> ledger::kSiteModuleShift];
    if (module.self) continue;
    const absl::string_view file = FileName(module.path);
    const bool library = absl::StartsWith(file, "libc.so") || absl::StartsWith(file, "libstdc++.so");
    bool named = false;
    for (const SourceFrame& frame : namer_.SourcesOf(snapshot_, site)) {
      if (frame.function.empty()) continue;
      named = true;
      std::string text(PublicName(frame.function));
      if (frame.line != 0) absl::StrAppend(&text, " ", FileName(frame.file), ":", frame.line);
      if (!library && !IsLibraryFunction(frame.function)) return text;
      if (first.empty()) first = text;
    }
    if (named || library || !first.empty()) continue;
    return absl::StrCat(file, file.empty() ? "" : "+", "0x", absl::Hex(site & ledger::kSiteOffsetMask));
  }
  return first.empty() ? "(unknown)" : first;
}

}  // namespace mallocspy
