#include "tools/run/program_environment.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace mallocspy {
namespace {

// Takes the variable out of `variables`; its value, or an empty string.
std::string Take(absl::string_view name, std::vector<std::string>* variables) {
  const std::string prefix = absl::StrCat(name, "=");
  std::string value;
  bool found = false;
  for (auto it = variables->begin(); it != variables->end();) {
    if (!absl::StartsWith(*it, prefix)) {
      ++it;
      continue;
    }
    if (!found) value = it->substr(prefix.size());  // of several, getenv sees the first
    found = true;
    it = variables->erase(it);
  }
  return value;
}

}  // namespace

std::vector<std::string> PlainEnvironment(const char* const* environment) {
  std::vector<std::string> variables;
  for (; *environment != nullptr; ++environment) variables.emplace_back(*environment);
  return variables;
}

std::vector<std::string> ProgramEnvironment(const char* const* environment, const Preload& preload) {
  std::vector<std::string> variables = PlainEnvironment(environment);
  const std::string old_preload = Take("LD_PRELOAD", &variables);
  Take("MALLOCSPY_RUN", &variables);
  Take("MALLOCSPY_SPIES", &variables);
  variables.push_back(absl::StrCat("LD_PRELOAD=", preload.library, old_preload.empty() ? "" : ":", old_preload));
  variables.push_back(absl::StrCat("MALLOCSPY_RUN=", preload.run_directory));
  if (!preload.spies.empty()) {
    variables.push_back(absl::StrCat("MALLOCSPY_SPIES=", absl::StrJoin(preload.spies, "\n")));
  }
  if (!preload.follow || preload.ownership) {
    std::string options = Take("MALLOCSPY_OPTIONS", &variables);
    if (!preload.follow) absl::StrAppend(&options, options.empty() ? "" : ":", "follow=none");
    if (preload.ownership) absl::StrAppend(&options, options.empty() ? "" : ":", "ownership=1");
    variables.push_back(absl::StrCat("MALLOCSPY_OPTIONS=", options));
  }
  return variables;
}

}  // namespace mallocspy
