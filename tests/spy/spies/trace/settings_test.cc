#include "spy/spies/trace/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace mallocspy::spies::trace {
namespace {

TEST(TraceSettings, Defaults) {
  Settings settings;
  EXPECT_TRUE(ParseSettings("", &settings));
  EXPECT_STREQ("mallocspy-trace.%p.log", settings.file);
  EXPECT_EQ(uint64_t{64} << 20, settings.limit_bytes);
  EXPECT_EQ(size_t{16} << 10, settings.buffer_bytes);
  EXPECT_FALSE(settings.json);
}

TEST(TraceSettings, All) {
  Settings settings;
  EXPECT_TRUE(ParseSettings("file=/a/b=c.log,limit_mb=1048576,format=json,buffer_kb=0", &settings));
  EXPECT_STREQ("/a/b=c.log", settings.file);
  EXPECT_EQ(uint64_t{1} << 40, settings.limit_bytes);
  EXPECT_EQ(0u, settings.buffer_bytes);
  EXPECT_TRUE(settings.json);
  EXPECT_TRUE(ParseSettings("format=text,", &settings));
  EXPECT_FALSE(settings.json);
}

TEST(TraceSettings, WhatIsWrongIsNamedInOneLine) {
  const std::string too_long = "file=" + std::string(system::kPathBytes, 'x');
  for (const std::string& args :
       {std::string("limit=5"), std::string("limit_mb=0"), std::string("limit_mb=1048577"), std::string("limit_mb="),
        std::string("limit_mb=5x"), std::string("limit_mb=-1"), std::string("limit_mb=99999999999999999999"),
        std::string("format=xml"), std::string("format=jsonx"), std::string("file="), std::string("buffer_kb=16385"),
        std::string("file"), std::string(",file=x"), std::string("format=json,,"), std::string("x\ny"), too_long}) {
    Settings settings;
    testing::internal::CaptureStderr();
    EXPECT_FALSE(ParseSettings(args.c_str(), &settings)) << args;
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_THAT(said, testing::StartsWith("mallocspy_trace: cannot use the argument '")) << args;
    EXPECT_THAT(said, testing::HasSubstr("limit_mb=1..1048576")) << args;
    EXPECT_EQ(said.size() - 1, said.find('\n')) << args;
  }
}

}  // namespace
}  // namespace mallocspy::spies::trace
