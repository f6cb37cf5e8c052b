// Writes the sample findings in every format into a folder: NAME.xml, NAME.sarif, NAME.github and NAME.md, and the
// names that hostile ones hold, one a line, as text: names.txt. For consumers_test.py.
#include <fstream>
#include <iostream>
#include <string>

#include "tests/tools/report/sample_findings.h"
#include "tools/report/github_report.h"
#include "tools/report/junit_report.h"
#include "tools/report/markdown_report.h"
#include "tools/report/sarif_report.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

void Write(const std::string& folder, const std::string& name, const std::vector<Findings>& reports) {
  SourceRoot root("/src");
  const auto write = [&](const char* ending, const std::string& text) {
    std::ofstream(folder + "/" + name + ending, std::ios::binary) << text;
  };
  write(".xml", JunitReport(reports, {"2026-11-23T02:53:51", "host"}));
  write(".sarif", SarifReport(reports, &root));
  write(".github", GithubReport(reports, &root));
  write(".md", MarkdownReport(reports, &root));
}

int Main(const std::string& folder) {
  Write(folder, "clean", {SampleClean(42)});
  Write(folder, "leaks", {SampleLeaks(42)});
  Write(folder, "errors", {SampleErrors(42)});
  Write(folder, "incomplete", {SampleIncomplete(42)});
  Findings family = SampleErrors(42);
  family.children = {SampleClean(43), SampleLeaks(44), SampleIncomplete(45)};
  Write(folder, "family", {family, SampleLeaks(46)});
  Write(folder, "accepted", {SampleAccepted(42)});
  Write(folder, "every_class", {SampleEveryClass(42)});
  std::ofstream names(folder + "/names.txt", std::ios::binary);
  int number = 0;
  for (const std::string& name : HostileNames()) {
    names << Escaped(name) << "\n";
    Write(folder, "hostile" + std::to_string(number++), {SampleNamed(42, name)});
  }
  return names.good() ? 0 : 1;
}

}  // namespace
}  // namespace mallocspy

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: write_samples FOLDER\n";
    return 2;
  }
  return mallocspy::Main(argv[1]);
}
