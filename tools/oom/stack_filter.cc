#include "tools/oom/stack_filter.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace mallocspy {
namespace {

// "net::Buffer::Grow" of "net::Buffer<char>::Grow<int>(unsigned long) const".
std::string BareName(absl::string_view function) {
  std::string bare;
  int open = 0;
  absl::ConsumePrefix(&function, "::");
  for (size_t i = 0; i < function.size(); ++i) {
    const char c = function[i];
    const bool is_operator = absl::EndsWith(bare, "operator");
    if (open == 0 && absl::StartsWith(function.substr(i), "(anonymous namespace)")) {
      bare += "(anonymous namespace)";
      i += sizeof("(anonymous namespace)") - 2;
    } else if (c == '<' && !is_operator) {
      ++open;
    } else if (c == '>' && open > 0) {
      --open;
    } else if (c == '(' && open == 0 && !is_operator) {
      break;
    } else if (open == 0) {
      bare += c;
    }
  }
  return bare;
}

bool IsFunction(absl::string_view name, const std::string& function) {
  if (function.empty()) return false;
  if (function == name) return true;
  const std::string bare = BareName(function);
  absl::ConsumePrefix(&name, "::");
  return bare == name || (absl::EndsWith(bare, name) && absl::EndsWith(bare.substr(0, bare.size() - name.size()), "::"));
}

bool IsModule(absl::string_view name, const std::string& path) {
  if (absl::StrContains(name, '/')) return path == name;
  const std::string file = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  if (name.empty() || !absl::StartsWith(file, name)) return false;
  const absl::string_view rest = absl::string_view(file).substr(name.size());
  return rest.empty() || absl::StartsWith(rest, ".so") || (absl::StrContains(name, ".so") && rest[0] == '.');
}

}  // namespace

bool IsOnStack(const std::string& name, const std::vector<Frame>& frames) {
  return std::any_of(frames.begin(), frames.end(),
                     [&name](const Frame& frame) { return IsFunction(name, frame.function) || IsModule(name, frame.module); });
}

}  // namespace mallocspy
