// Options of a command, as getopt_long reads them but with whole names only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace mallocspy {

// One option, for the parser and the help.
struct Option {
  const char* name;
  const char* value;  // what stands behind "=", null for none
  const char* help;
  bool value_is_optional = false;
  char letter = '\0';  // its short form, if it has one
};

struct OptionParsing {
  std::vector<Option> options;
  bool before_arguments_only;  // options end at the first argument that is none
  std::function<absl::Status(absl::string_view name, absl::string_view value)> set;
  std::function<absl::Status(absl::string_view argument)> unknown;  // what to say of one that is not there
};

// Calls `set` for each option in `arguments` (those behind the command's name; "-h" is "help") and leaves the others in `rest`. Options end
// at "--" in any case. The error is a sentence for the user, without the program's name.
absl::Status ParseOptions(const OptionParsing& parsing, const std::vector<std::string>& arguments, std::vector<std::string>* rest);

// "there is no option '--x' (did you mean '--y'?)"
absl::Status NoSuchOption(absl::string_view argument, const std::vector<Option>& options);

// The options' part of a help text.
std::string OptionsHelp(const std::vector<Option>& options);

}  // namespace mallocspy
