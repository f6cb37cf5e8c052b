#include "tools/command/library_options.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "allocator/options.h"
#include "tools/wording/escape.h"
#include "tools/wording/nearest.h"

namespace mallocspy {

std::string LibraryOptionsProblem(absl::string_view options) {
  std::string problem;
  Options ignored;
  const auto on_problem = [](const OptionProblem& found, void* context) {
    auto* const first = static_cast<std::string*>(context);
    if (!first->empty()) return;
    const absl::string_view item(found.item.data, found.item.size);
    const absl::string_view key = item.substr(0, item.find('='));
    size_t count = 0;
    const OptionHelp* const table = OptionTable(&count);
    std::vector<std::string> names;
    std::string choices;
    for (size_t i = 0; i < count; ++i) {
      names.emplace_back(table[i].name);
      if (key == table[i].name) choices = absl::StrCat(" (", key, "=", table[i].choices, ")");
    }
    *first = absl::StrCat("MALLOCSPY_OPTIONS: '", Escaped(item), "' ", found.reason,
                          choices.empty() ? DidYouMean(key, names) : choices);
  };
  ParseOptions(options.data(), options.size(), &ignored, on_problem, &problem);
  return problem;
}

std::string LibraryOptionsHelp() {
  std::string help;
  size_t count = 0;
  const OptionHelp* const table = OptionTable(&count);
  for (size_t i = 0; i < count; ++i) {
    absl::StrAppend(&help, "  ", table[i].name, "=", table[i].choices, "\n        ", table[i].help);
    if (*table[i].value != '\0') absl::StrAppend(&help, " (default ", table[i].value, ")");
    absl::StrAppend(&help, "\n");
  }
  return help;
}

}  // namespace mallocspy
