#include "tools/verdict/process_split.h"

#include <gtest/gtest.h>

namespace mallocspy {
namespace {

Findings Image(uint32_t pid, const char* exe, const char* replaced_by = "") {
  Findings findings;
  findings.process.pid = pid;
  findings.process.exe = exe;
  if (*replaced_by != '\0') findings.process.exit = {ProcessExit::Kind::kExec, 0, replaced_by};
  return findings;
}

// "1:last(earlier,earliest) 2:..." of each report.
std::string Shape(const std::vector<Findings>& reports) {
  std::string shape;
  for (const Findings& report : SplitByProcess(reports)) {
    shape += (shape.empty() ? "" : " ") + std::to_string(report.process.pid) + ":" + report.process.exe;
    for (const Findings& image : report.children) shape += "," + image.process.exe;
  }
  return shape;
}

TEST(ProcessSplit, EachProcessWithItsImages) {
  Findings run = Image(1, "c");
  run.children = {Image(1, "a", "b"), Image(1, "b", "c"), Image(2, "sh", "x"), Image(2, "x"), Image(3, "y")};
  EXPECT_EQ(Shape({run}), "1:c,a,b 2:x,sh 3:y");
}

TEST(ProcessSplit, AnImageWhoseSuccessorLeftNoRecordStandsAlone) {
  Findings run = Image(1, "b", "static");
  run.children = {Image(1, "a", "b"), Image(2, "sh", "static")};
  EXPECT_EQ(Shape({run}), "1:b,a 2:sh");
}

TEST(ProcessSplit, FilesInAnyOrder) {
  EXPECT_EQ(Shape({Image(1, "a", "b"), Image(2, "x"), Image(1, "b")}), "1:b,a 2:x");
  EXPECT_EQ(Shape({Image(1, "b"), Image(1, "a", "b")}), "1:b,a");
  EXPECT_EQ(Shape({Image(1, "a", "b"), Image(1, "b", "c"), Image(1, "c")}), "1:c,a,b");
}

}  // namespace
}  // namespace mallocspy
