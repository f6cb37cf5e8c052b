#include "tools/command/option_parser.h"

#include <getopt.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tools/wording/escape.h"
#include "tools/wording/nearest.h"

namespace mallocspy {
namespace {

constexpr int kFirstLong = 256;  // what getopt returns for the first long option; behind all characters

}  // namespace

absl::Status NoSuchOption(absl::string_view argument, const std::vector<Option>& options) {
  const absl::string_view name = argument.substr(0, argument.find('='));
  std::vector<std::string> names;
  for (const Option& option : options) names.push_back(absl::StrCat("--", option.name));
  return absl::InvalidArgumentError(absl::StrCat("there is no option '", Escaped(name), "'", DidYouMean(name, names)));
}

absl::Status ParseOptions(const OptionParsing& parsing, const std::vector<std::string>& arguments, std::vector<std::string>* rest) {
  const std::vector<Option>& rows = parsing.options;
  std::vector<option> options;
  std::string letters = parsing.before_arguments_only ? "+:h" : ":h";
  for (size_t i = 0; i < rows.size(); ++i) {
    const int has_argument = rows[i].value == nullptr   ? no_argument
                             : rows[i].value_is_optional ? optional_argument
                                                         : required_argument;
    options.push_back({rows[i].name, has_argument, nullptr, static_cast<int>(i) + kFirstLong});
    if (rows[i].letter != '\0') letters += absl::StrCat(std::string(1, rows[i].letter), has_argument == required_argument ? ":" : "");
  }
  options.push_back({});
  std::vector<std::string> copies = arguments;
  std::string name = "mallocspy";
  std::vector<char*> argv{name.data()};
  for (std::string& copy : copies) argv.push_back(copy.data());
  const int argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);

  optind = 0;  // makes glibc's getopt start anew
  opterr = 0;
  for (;;) {
    const int before = optind == 0 ? 1 : optind;
    const int found = getopt_long(argc, argv.data(), letters.c_str(), options.data(), nullptr);
    if (found == -1) break;
    // getopt takes every beginning of a name that no other name shares; what a script says must not come to mean
    // something else when there are more options.
    if (const int known = found >= kFirstLong ? found : optopt; found != 'h' && known >= kFirstLong) {
      const bool value_apart = found >= kFirstLong && optarg == argv[optind - 1];
      const absl::string_view argument = argv[optind - (value_apart ? 2 : 1)];
      const absl::string_view given = argument.substr(0, argument.find('='));
      if (given != absl::StrCat("--", rows[static_cast<size_t>(known - kFirstLong)].name)) return parsing.unknown(argument);
    }
    absl::Status status;
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const Option& option) {
      return option.letter != '\0' && option.letter == (found == ':' ? optopt : found);
    });
    if (found == 'h') {
      status = parsing.set("help", "");
    } else if (row != rows.end() && found == ':') {
      return absl::InvalidArgumentError(absl::StrCat("-", std::string(1, row->letter), " needs a value: ", row->value));
    } else if (row != rows.end()) {
      status = parsing.set(row->name, optarg != nullptr ? optarg : "");
    } else if (found == ':') {
      const absl::string_view option = argv[optind - 1];
      return absl::InvalidArgumentError(
          absl::StrCat(option, " needs a value: ", option, "=", rows[static_cast<size_t>(optopt - kFirstLong)].value));
    } else if (found == '?') {
      // A short option may be in the middle of an argument that getopt has not left yet.
      const bool in_the_middle = optopt != 0 && optopt < kFirstLong && optind == before;
      const absl::string_view argument = argv[in_the_middle ? before : optind - 1];
      if (optopt >= kFirstLong) {
        return absl::InvalidArgumentError(absl::StrCat(argument.substr(0, argument.find('=')), " takes no value"));
      }
      return parsing.unknown(argument);
    } else {
      status = parsing.set(rows[static_cast<size_t>(found - kFirstLong)].name, optarg != nullptr ? optarg : "");
    }
    if (!status.ok()) return status;
  }
  for (int i = optind; i < argc; ++i) rest->emplace_back(argv[i]);
  return absl::OkStatus();
}

std::string OptionsHelp(const std::vector<Option>& options) {
  std::string help = "\noptions:\n";
  for (const Option& option : options) {
    const std::string letter = option.letter != '\0' ? absl::StrCat("-", std::string(1, option.letter), " ") : "";
    if (!letter.empty()) absl::StrAppend(&help, "  ", letter, option.value != nullptr ? option.value : "", ", --", option.name);
    if (letter.empty()) absl::StrAppend(&help, "  --", option.name);
    if (option.value != nullptr) absl::StrAppend(&help, option.value_is_optional ? "[=" : "=", option.value);
    absl::StrAppend(&help, option.value_is_optional ? "]" : "", "\n        ", option.help, "\n");
  }
  return help;
}

}  // namespace mallocspy
