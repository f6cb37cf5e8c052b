#include "tools/command/report_writing.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tools/command/complaint.h"
#include "tools/page/page.h"
#include "tools/report/acceptance_text.h"
#include "tools/report/github_report.h"
#include "tools/report/json_report.h"
#include "tools/report/junit_report.h"
#include "tools/report/markdown_report.h"
#include "tools/report/ownership_text.h"
#include "tools/report/palette.h"
#include "tools/report/report_sink.h"
#include "tools/report/sarif_report.h"
#include "tools/report/source_root.h"
#include "tools/report/text_report.h"
#include "tools/verdict/process_split.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

std::string Text(const std::vector<Findings>& findings, const Palette& palette, uint64_t most_leaks, bool ownership) {
  std::string text = TextReport(findings, palette, most_leaks);
  for (const std::string& sentence : AcceptanceSentences(findings[0])) {
    absl::StrAppend(&text, "mallocspy: ", sentence, "\n");
  }
  if (ownership) text += OwnershipText(findings);
  return text;
}

std::string Rendered(Format format, const std::vector<Findings>& findings, const Palette& palette, uint64_t most_leaks,
                     bool ownership, const PageSource& page, SourceRoot* root) {
  switch (format) {
    case Format::kText:
      return Text(findings, palette, most_leaks, ownership);
    case Format::kJson:
      return JsonReport(findings);
    case Format::kJunit:
      return JunitReport(findings, JunitStamp::Now());
    case Format::kSarif:
      return SarifReport(findings, root);
    case Format::kGithub:
      return GithubReport(findings, root);
    case Format::kMarkdown:
      return MarkdownReport(findings, root);
    case Format::kHtml: {
      std::string html = PageHtml(PageData(findings, page));
      page.namer->EndProgress();
      return html;
    }
  }
  return "";
}

// Lists no more than the largest leaks of each process; the others stay counted.
void Shorten(uint64_t most_leaks, std::vector<Findings>* findings) {
  for (Findings& one : *findings) {
    for (std::vector<Leak>* const list : {&one.leaks, &one.accepted}) {
      if (list->size() > most_leaks) list->erase(list->begin() + static_cast<std::ptrdiff_t>(most_leaks), list->end());
    }
    Shorten(most_leaks, &one.children);
  }
}

// Where an output goes.
struct Place {
  std::string path;  // of a file; else the descriptor counts
  int descriptor = STDERR_FILENO;

  bool is_file() const { return !path.empty(); }
  std::string name() const {
    return is_file() ? Escaped(path) : descriptor == STDOUT_FILENO ? "standard output" : "standard error";
  }
};

Place PlaceOf(Command command, const ReportOutput& output, uint32_t pid) {
  const std::string path = ExpandPath(output.path, pid);
  // The standard output of `run` is the program's.
  const bool to_output = path == "-" || (path.empty() && output.format != Format::kText && command == Command::kReport);
  if (to_output) return {"", STDOUT_FILENO};
  return {path, STDERR_FILENO};
}

}  // namespace

bool WriteReport(Command command, const Settings& settings, std::vector<Findings> findings, const PageSource& page) {
  // The longest come first, so that the findings can be shortened for those behind them.
  std::vector<ReportOutput> outputs = settings.outputs;
  std::stable_sort(outputs.begin(), outputs.end(), [&settings](const ReportOutput& left, const ReportOutput& right) {
    return settings.most_leaks(left.format) > settings.most_leaks(right.format);
  });
  SourceRoot root = SourceRoot::Current();
  bool complete = true;
  for (const ReportOutput& output : outputs) {
    Shorten(settings.most_leaks(output.format), &findings);
    absl::Status written;
    Place place;
    const auto write = [&](const std::vector<Findings>& told) {
      if (!written.ok()) return;
      place = PlaceOf(command, output, told[0].process.pid);
      const Palette& palette = place.is_file() ? kPlain : PaletteFor(place.descriptor);
      const std::string report = Rendered(output.format, told, palette, settings.most_leaks(output.format), settings.ownership, page, &root);
      written = place.is_file() ? WriteReportFile(place.path, report) : WriteAll(place.descriptor, report);
    };
    if (NamesPid(output.path)) {
      for (Findings& process : SplitByProcess(findings)) write({std::move(process)});
    } else {
      write(findings);
    }
    if (written.ok()) continue;
    complete = false;
    const bool only = outputs.size() == 1;
    Complain(absl::StrCat("the ", only ? "" : NameOf(output.format), only ? "" : " ", "report could not be written to ",
                          place.name(), " (", written.message(), ")", only ? ": nobody sees what was found" : ""));
  }
  return complete;
}

}  // namespace mallocspy
