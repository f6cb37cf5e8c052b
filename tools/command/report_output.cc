#include "tools/command/report_output.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/page/page_data.h"
#include "tools/verdict/assessment.h"
#include "tools/wording/escape.h"
#include "tools/wording/nearest.h"

namespace mallocspy {
namespace {

constexpr uint64_t kLeaksForPeople = 20;

constexpr Format kFormats[] = {Format::kText,  Format::kJson,   Format::kJunit,
                               Format::kSarif, Format::kGithub, Format::kMarkdown, Format::kHtml};

Format FormatOfFile(absl::string_view path) {
  if (absl::EndsWith(path, ".sarif") || absl::EndsWith(path, ".sarif.json")) return Format::kSarif;
  if (absl::EndsWith(path, ".json")) return Format::kJson;
  if (absl::EndsWith(path, ".xml")) return Format::kJunit;
  if (absl::EndsWith(path, ".md")) return Format::kMarkdown;
  if (absl::EndsWith(path, ".html")) return Format::kHtml;
  return Format::kText;
}

bool IsStandardOutput(absl::string_view path) { return path == "-" || path == "/dev/stdout"; }

// One name for the names that a place can have; links are not looked at.
std::string PlaceName(const std::string& path) {
  return IsStandardOutput(path) ? "-" : std::filesystem::path(path).lexically_normal().string();
}

// Whether the text report would be missed.
bool LacksText(const std::vector<ReportOutput>& outputs) {
  const auto is_text = [](const ReportOutput& output) { return output.format == Format::kText; };
  if (std::any_of(outputs.begin(), outputs.end(), is_text)) return false;
  if (outputs.size() > 1) return true;
  const ReportOutput& only = outputs[0];
  return only.format != Format::kJson && !only.path.empty() && !IsStandardOutput(only.path);
}

}  // namespace

absl::string_view NameOf(Format format) {
  switch (format) {
    case Format::kText:
      return "text";
    case Format::kJson:
      return "json";
    case Format::kJunit:
      return "junit";
    case Format::kSarif:
      return "sarif";
    case Format::kGithub:
      return "github";
    case Format::kMarkdown:
      return "markdown";
    case Format::kHtml:
      return "html";
  }
  return "";
}

uint64_t MostLeaks(Format format) {
  if (format == Format::kHtml) return kMostPageLeaks;
  const bool for_people = format == Format::kText || format == Format::kMarkdown || format == Format::kGithub;
  return for_people ? kLeaksForPeople : kAllLeaks;
}

absl::Status OutputPairs::AddFormat(absl::string_view name) {
  std::vector<std::string> names;
  for (const Format format : kFormats) {
    names.emplace_back(NameOf(format));
    if (name != NameOf(format)) continue;
    format_ = format;
    format_behind_last_ = true;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(NotAmong("--format", name, names));
}

absl::Status OutputPairs::AddPath(absl::string_view path) {
  if (path.empty()) return absl::InvalidArgumentError("--output needs the name of a file");
  outputs_.push_back({format_, std::string(path)});
  format_behind_last_ = false;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ReportOutput>> OutputPairs::Pair() const {
  std::vector<ReportOutput> outputs;
  std::set<std::string> places;
  for (const Unpaired& output : outputs_) {
    if (!places.insert(PlaceName(output.path)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("--output=", Escaped(output.path), " is given twice; one report would overwrite the other"));
    }
    outputs.push_back({output.format.value_or(FormatOfFile(output.path)), output.path});
  }
  if (outputs.empty()) outputs.push_back({format_.value_or(Format::kText), ""});
  if (!outputs_.empty() && format_.has_value() && format_behind_last_) {
    if (outputs.size() > 1 || outputs_[0].format.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat("--format=", NameOf(*format_),
                                                     " has no --output behind it; each --output takes the --format "
                                                     "before it"));
    }
    outputs[0].format = *format_;
  }
  if (LacksText(outputs)) outputs.push_back({Format::kText, ""});
  return outputs;
}

}  // namespace mallocspy
