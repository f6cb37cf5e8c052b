#include "tools/command/explore_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/tools/command/command_runner.h"
#include "tests/tools/explore/sample_heap.h"

namespace mallocspy {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ExploreCommandTest : public ::testing::Test {
 protected:
  std::string File() { return runner_.scratch().Write("heap.mspy", SampleHeap().Bytes()); }

  CommandRunner runner_;
};

TEST_F(ExploreCommandTest, AnswersTheQuestionOfItsArguments) {
  const std::string file = File();
  const CommandResult words = runner_.Run({"explore", file, "blocks", "size>=1K", "top", "1"});
  EXPECT_EQ(words.status(), 0);
  EXPECT_EQ(words.error, "");
  EXPECT_THAT(words.output, HasSubstr("0xb0000"));
  EXPECT_EQ(runner_.Run({"explore", file, "blocks size>=1K top 1"}).output, words.output);
  const json blocks = json::parse(runner_.Run({"explore", "--format=json", file, "blocks", "sort", "-size"}).output);
  EXPECT_EQ(blocks["rows"][0]["size"], 10);
  EXPECT_EQ(json::parse(runner_.Run({"explore", file, "--format", "json", "summary"}).output)["process"]["pid"], 4711);
}

TEST_F(ExploreCommandTest, ReadsALineForEachCommand) {
  runner_.input = "# what is large\nlet large = blocks size>=1K\n\nlarge as json\nquit\nsummary\n";
  const CommandResult result = runner_.Run({"explore", File()});
  EXPECT_EQ(result.status(), 0);
  EXPECT_EQ(result.error, "");
  EXPECT_THAT(result.output, StartsWith("large: 3 blocks, 9200 bytes (9.0K)\n{\"command\":\"blocks\""));
  EXPECT_THAT(result.output, Not(HasSubstr("mallocspy>")));
  EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 2);
}

TEST_F(ExploreCommandTest, GoesOnAfterWrongCommandsAndEndsWith2) {
  runner_.input = "bloks\nsets\nshow 0x1\nsets";
  const CommandResult result = runner_.Run({"explore", "--format=csv", File()});
  EXPECT_EQ(result.status(), 2);
  EXPECT_EQ(result.output, "set,blocks,bytes\r\nset,blocks,bytes\r\n");
  EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 2) << result.error;
}

TEST_F(ExploreCommandTest, WrongCommandLinesAndFilesAre2) {
  const std::string file = File();
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"explore"},
                                             {"explore", "--format=xml", file},
                                             {"explore", "--fromat=json", file},
                                             {"explore", runner_.File("none")},
                                             {"explore", file, "bloks"},
                                             {"explore", runner_.scratch().Write("text", "no snapshot"), "summary"},
                                             {"explore", runner_.scratch().path(), "summary"}}) {
    const CommandResult result = runner_.Run(arguments);
    EXPECT_EQ(result.status(), 2) << arguments.back();
    EXPECT_EQ(result.output, "");
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << result.error;
  }
}

TEST_F(ExploreCommandTest, WhatCannotBeWrittenIs25) {
  const std::string file = File();
  const CommandResult result =
      runner_.RunProgram({"/bin/sh", "-c", std::string(MALLOCSPY_COMMAND) + " explore " + file + " blocks >/dev/full"});
  EXPECT_EQ(result.status(), 25);
  EXPECT_THAT(result.error, HasSubstr("the answer could not be written"));
}

TEST_F(ExploreCommandTest, HelpNamesEveryCommand) {
  const CommandResult help = runner_.Run({"explore", "--help"});
  EXPECT_EQ(help.status(), 0);
  EXPECT_THAT(help.output, StartsWith("usage: mallocspy explore "));
  EXPECT_EQ(help.output, runner_.Run({"help", "explore"}).output);
  EXPECT_THAT(help.output, HasSubstr("\n  retained "));
}

}  // namespace
}  // namespace mallocspy
