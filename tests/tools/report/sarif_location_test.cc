#include "tools/report/sarif_location.h"

#include <gtest/gtest.h>

#include "tests/tools/report/sample_findings.h"

namespace mallocspy {
namespace {

using nlohmann::json;

json PlaceOf(const std::vector<Frame>& frames) {
  SourceRoot root("/src");
  return SarifPlace(frames, &root);
}

TEST(SarifLocation, UrisHoldEveryByte) {
  EXPECT_EQ(UriPath("a/b-c_d.e~f"), "a/b-c_d.e~f");
  EXPECT_EQ(UriPath("a b%c:d?e#f[g]"), "a%20b%25c%3Ad%3Fe%23f%5Bg%5D");
  EXPECT_EQ(UriPath("\xff\n\xc3\xa4"), "%FF%0A%C3%A4");
  EXPECT_EQ(FileUri("/usr/lib/libstdc++.so.6"), "file:///usr/lib/libstdc%2B%2B.so.6");
}

TEST(SarifLocation, ThePlaceIsTheInnermostBelowTheRoot) {
  std::vector<Frame> frames = SampleLeaks(42).leaks[0].frames;
  frames[0].file = "/usr/include/inner.h";
  EXPECT_EQ(PlaceOf(frames), json::parse(R"json({
      "physicalLocation": {"artifactLocation": {"uri": "b.cc", "uriBaseId": "%SRCROOT%"},
                           "region": {"startLine": 14, "startColumn": 7}},
      "logicalLocations": [{"fullyQualifiedName": "outer()", "kind": "function"}]})json"));
}

TEST(SarifLocation, WithoutOneTheFirstFileElseTheModule) {
  EXPECT_EQ(PlaceOf({SampleFrame(1, "f", "/usr/include/x.h", 3)})["physicalLocation"],
            json::parse(R"({"artifactLocation": {"uri": "file:///usr/include/x.h"}, "region": {"startLine": 3}})"));
  EXPECT_EQ(PlaceOf({SampleFrame(1, "f", "../csu/start.c", 3)})["physicalLocation"],
            json::parse(R"({"artifactLocation": {"uri": "file:///opt/prog"}})"));
  EXPECT_EQ(PlaceOf({}), json::object());
}

TEST(SarifLocation, FramesWithoutAFileHaveTheirAddress) {
  SourceRoot root("/src");
  const json stack = SarifStack("here:", SampleLeaks(42).leaks[1].frames, &root);
  EXPECT_EQ(stack, json::parse(R"({"message": {"text": "here:"}, "frames": [
      {"location": {"physicalLocation": {"address": {"absoluteAddress": 93824992243760}}}, "module": "/opt/prog"},
      {"location": {"physicalLocation": {"address": {"absoluteAddress": 140733498807928}}}}]})"));
}

}  // namespace
}  // namespace mallocspy
