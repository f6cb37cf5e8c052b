// The fault spy in a program that runs under it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/scratch_directory.h"

namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

struct FaultedRun {
  std::string output;
  json report;
  std::string text;
  int status;
};

FaultedRun UnderFaults(const std::string& arguments, const std::string& what) {
  const mallocspy::ScratchDirectory scratch;
  const std::string path = scratch.File("report.json");
  const std::string text_path = scratch.File("report.txt");
  const std::string command = std::string(MALLOCSPY_COMMAND) + " run --spy=faults:" + arguments + " --format=json --output=" + path +
                              " --format=text --output=" + text_path + " -- " + FAULTS_PROGRAM + " " + what;
  FaultedRun run;
  FILE* pipe = popen(command.c_str(), "r");
  char buffer[4096];
  for (size_t got; (got = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) run.output.append(buffer, got);
  run.status = pclose(pipe);
  run.report = json::parse(mallocspy::ReadWholeFile(path));
  run.text = mallocspy::ReadWholeFile(text_path);
  return run;
}

// Every failure looks as if there were no memory.
TEST(Faults, EachDoorFailsAsWithoutMemory) {
  const FaultedRun all = UnderFaults("within=Doors", "doors");
  EXPECT_EQ(
      "calloc ENOMEM\naligned_alloc ENOMEM\nposix_memalign ENOMEM\nrealloc ENOMEM\nnew threw\nnothrow null\n"
      "new[] threw after 2\n",
      all.output);
  EXPECT_EQ(0, all.status);
  const FaultedRun none = UnderFaults("within=Doors,limit=1,nth=1000", "doors");
  EXPECT_EQ("calloc ok\naligned_alloc ok\nposix_memalign ok\nrealloc ok\nnew ok\nnothrow ok\nnew[] ok after 0\n", none.output);
}

TEST(Faults, AReallocThatFailsLeavesTheBlock) {
  EXPECT_THAT(UnderFaults("within=Doors,above=1000", "doors").output, HasSubstr("realloc ENOMEM\nkept 7\nnew ok\n"));
}

TEST(Faults, ANewHandlerMayMakeRoom) {
  EXPECT_THAT(UnderFaults("within=Doors,nth=8", "doors").output, HasSubstr("nothrow ok\nnew[] ok after 1\n"));
}

TEST(Faults, CountsAmongTheChosen) {
  EXPECT_EQ("call 1 ok\ncall 2 ok\ncall 3 ENOMEM\ncall 4 ok\ncall 5 ok\ncall 6 ok\nchosen ok\n",
            UnderFaults("within=Inner,nth=3", "calls").output);
  EXPECT_EQ("call 1 ok\ncall 2 ok\ncall 3 ok\ncall 4 ok\ncall 5 ok\ncall 6 ok\nchosen ENOMEM\n",
            UnderFaults("within=Chosen", "calls").output);
  EXPECT_EQ("call 1 ENOMEM\ncall 2 ok\ncall 3 ok\ncall 4 ok\ncall 5 ok\ncall 6 ok\nchosen ENOMEM\n",
            UnderFaults("within=Inner,stacks=once", "calls").output);
  EXPECT_EQ("call 1 ENOMEM\ncall 2 ENOMEM\ncall 3 ENOMEM\ncall 4 ENOMEM\ncall 5 ENOMEM\ncall 6 ENOMEM\nchosen ok\n",
            UnderFaults("within=Inner,outside=Chosen", "calls").output);
  EXPECT_EQ("before ok\nafter ENOMEM\n", UnderFaults("within=Inner,after_mark=2", "mark").output);
}

TEST(Faults, ChildrenCanBeLeftAlone) {
  EXPECT_EQ("parent ENOMEM\nchild ENOMEM\nparent again ENOMEM\n", UnderFaults("within=Inner", "fork").output);
  EXPECT_EQ("parent ENOMEM\nchild ok\nparent again ENOMEM\n", UnderFaults("within=Inner,children=0", "fork").output);
  EXPECT_EQ("parent ok\nchild ENOMEM\nparent again ENOMEM\n", UnderFaults("within=Inner,nth=2", "fork").output);
}

TEST(Faults, ReportsTellOfThemAndTheyAreNoErrors) {
  const FaultedRun run = UnderFaults("within=Inner,nth=2", "calls");
  EXPECT_EQ("clean", run.report["verdict"]["status"]);
  EXPECT_EQ(0u, run.report["errors"].size());
  ASSERT_EQ(1u, run.report["injected"].size());
  EXPECT_EQ(24, run.report["injected"][0]["size"]);
  EXPECT_EQ(1, run.report["injected"][0]["count"]);
  EXPECT_THAT(run.report["injected"][0]["where"][0]["function"].get<std::string>(), HasSubstr("Inner"));
  EXPECT_THAT(run.text, HasSubstr("1 allocation was made to fail, here:"));
  EXPECT_THAT(run.text, HasSubstr("Inner"));
  const FaultedRun often = UnderFaults("within=Inner,outside=Chosen", "calls");
  EXPECT_EQ(6, often.report["injected"][0]["count"]);
  EXPECT_THAT(often.text, HasSubstr("6 allocations were made to fail"));
  const FaultedRun none = UnderFaults("within=Inner,nth=100", "calls");
  EXPECT_EQ(0u, none.report["injected"].size());
  EXPECT_THAT(none.text, Not(HasSubstr("made to fail")));
}

}  // namespace
