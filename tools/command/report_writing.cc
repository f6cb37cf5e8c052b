#include "tools/command/report_writing.h"

#include <unistd.h>

#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tools/command/complaint.h"
#include "tools/report/json_report.h"
#include "tools/report/palette.h"
#include "tools/report/report_sink.h"
#include "tools/report/text_report.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

std::string Json(std::vector<Findings> findings) {
  Findings& first = findings[0];
  for (size_t i = 1; i < findings.size(); ++i) {
    std::vector<Findings> children = std::exchange(findings[i].children, {});
    first.children.push_back(std::move(findings[i]));
    std::move(children.begin(), children.end(), std::back_inserter(first.children));
  }
  return JsonReport(first);
}

std::string Text(const std::vector<Findings>& findings, const Palette& palette) {
  std::string text;
  for (const Findings& one : findings) {
    if (!text.empty()) text += "\n";
    text += TextReport(one, palette);
  }
  return text;
}

}  // namespace

bool WriteReport(Command command, const Settings& settings, std::vector<Findings> findings) {
  const std::string path = ExpandPath(settings.output, findings[0].process.pid);
  const bool json = settings.format == Format::kJson;
  // The standard output of `run` is the program's.
  const bool to_output = path == "-" || (path.empty() && json && command == Command::kReport);
  const int descriptor = to_output ? STDOUT_FILENO : STDERR_FILENO;
  const bool to_file = !path.empty() && !to_output;
  const std::string report =
      json ? Json(std::move(findings)) : Text(findings, to_file ? kPlain : PaletteFor(descriptor));
  const absl::Status written = to_file ? WriteReportFile(path, report) : WriteAll(descriptor, report);
  if (written.ok()) return true;
  Complain(absl::StrCat("the report could not be written to ",
                        to_file     ? Escaped(path)
                        : to_output ? "standard output"
                                    : "standard error",
                        " (", written.message(), "): nobody sees what was found"));
  return false;
}

}  // namespace mallocspy
