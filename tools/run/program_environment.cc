#include "tools/run/program_environment.h"

#include <unistd.h>

#include "absl/status/status.h"
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

absl::StatusOr<std::string> PreloadablePath(const std::string& library, const std::string& directory) {
  if (library.find_first_of(" \t\n:") == std::string::npos) return library;
  const std::string link = absl::StrCat(directory, "/libmallocspy.so");
  if (symlink(library.c_str(), link.c_str()) == 0 && link.find_first_of(" \t\n:") == std::string::npos) return link;
  return absl::UnavailableError(absl::StrCat("LD_PRELOAD cannot name ", library, ": move it to a path without blanks"));
}

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
  std::vector<std::string> options;
  if (!preload.follow) options.push_back("follow=none");
  if (preload.ownership) options.push_back("ownership=1");
  if (!preload.on_error.empty()) options.push_back(absl::StrCat("on_error=", preload.on_error));
  if (!options.empty()) {
    if (std::string given = Take("MALLOCSPY_OPTIONS", &variables); !given.empty()) options.insert(options.begin(), std::move(given));
    variables.push_back(absl::StrCat("MALLOCSPY_OPTIONS=", absl::StrJoin(options, ":")));
  }
  return variables;
}

}  // namespace mallocspy
