// The reports that the command line asks for: which format goes where.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mallocspy {

enum class Format { kText, kJson, kJunit, kSarif, kGithub, kMarkdown, kHtml };

absl::string_view NameOf(Format format);  // "text", ...

// How many leaks a report in this format lists when nobody says how many: those for people the largest, the others all.
uint64_t MostLeaks(Format format);

struct ReportOutput {
  Format format = Format::kText;
  std::string path;  // empty: the default place

  bool operator==(const ReportOutput& other) const = default;
};

// Takes the options --format and --output in their order, and pairs them:
//
//     --format=junit --output=a.xml --format=sarif --output=b.sarif
//
// An output has the format named last before it. One that has none before it has that of its file's name (.json, .xml,
// .sarif, .md, .html), else text. A single output also takes a format that comes behind it. Errors are sentences for the user.
class OutputPairs {
 public:
  absl::Status AddFormat(absl::string_view name);
  absl::Status AddPath(absl::string_view path);

  // At least one. Beside files in formats that only programs read, the text report goes to its default place as well,
  // unless text was asked for; a single output as text or JSON stands alone.
  absl::StatusOr<std::vector<ReportOutput>> Pair() const;

 private:
  struct Unpaired {
    std::optional<Format> format;
    std::string path;
  };
  std::vector<Unpaired> outputs_;
  std::optional<Format> format_;     // named last
  bool format_behind_last_ = false;  // no output came since
};

}  // namespace mallocspy
