#include "tools/report/diff_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/tools/report/sample_findings.h"

namespace mallocspy {
namespace {

using nlohmann::json;

Leak Some(const char* id, uint64_t blocks, LeakClass leak_class) {
  Leak leak;
  leak.id = id;
  leak.leak_class = leak_class;
  leak.blocks = blocks;
  leak.bytes = 10 * blocks;
  leak.frames = {SampleFrame(0x10, "make\n", "/src/a.cc", 3)};
  leak.frames[0].address = 0;  // as read from a report
  return leak;
}

std::vector<LeakChange> Sample() {
  return DiffLeaks(
      {Some("a", 1, LeakClass::kReachable), Some("b", 2, LeakClass::kDefinite), Some("c", 1, LeakClass::kDefinite)},
      {Some("a", 1, LeakClass::kDefinite), Some("c", 1, LeakClass::kDefinite), Some("d", 3, LeakClass::kPossible)});
}

TEST(DiffReport, Text) {
  EXPECT_EQ(DiffText(Sample(), nullptr), R"(mallocspy: diff: 1 new, 1 grown, 0 shrunk, 1 gone, 1 same

new: +30 bytes, +3 blocks (now 30 bytes in 3 blocks, possible; before none; id d)
    #0 in make\x0a /src/a.cc:3

grown: +0 bytes, +0 blocks (now 10 bytes in 1 block, definite; before 10 bytes in 1 block, reachable; id a)
    #0 in make\x0a /src/a.cc:3

gone: -20 bytes, -2 blocks (now none; before 20 bytes in 2 blocks, definite; id b)
    #0 in make\x0a /src/a.cc:3
)");
  EXPECT_EQ(DiffText({}, nullptr), "mallocspy: diff: 0 new, 0 grown, 0 shrunk, 0 gone, 0 same\n");
}

TEST(DiffReport, Json) {
  const json diff = json::parse(DiffJson(Sample(), nullptr));
  EXPECT_EQ(diff["schema"], "mallocspy-diff/1");
  EXPECT_EQ(diff["summary"], json::parse(R"({"new": 1, "grown": 1, "shrunk": 0, "gone": 1, "same": 1})"));
  EXPECT_EQ(diff["changes"].size(), 4u);
  EXPECT_EQ(diff["changes"][0],
            json::parse(R"({"id": "d", "change": "new", "class": "possible", "blocks": 3, "bytes": 30,
      "old_class": null, "old_blocks": 0, "old_bytes": 0,
      "frames": [{"module": "/opt/prog", "function": "make\n", "file": "/src/a.cc", "line": 3}]})"));
  EXPECT_EQ(diff["changes"][1]["old_class"], "reachable");
  EXPECT_EQ(diff["changes"][2]["class"], nullptr);
  EXPECT_EQ(json::parse(DiffJson({}, nullptr))["changes"], json::array());
}

}  // namespace
}  // namespace mallocspy
