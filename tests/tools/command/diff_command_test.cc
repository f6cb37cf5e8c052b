#include "tools/command/diff_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/tools/command/command_runner.h"
#include "tests/tools/ledger_builder.h"

namespace mallocspy {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class DiffCommandTest : public ::testing::Test {
 protected:
  // A snapshot with as many blocks of 10 bytes from each function (the place in the list) as the list says.
  std::string Snapshot(const std::string& name, const std::vector<int>& blocks,
                       ledger::Reach reach = ledger::Reach::kDefinite) {
    LedgerBuilder ledger;
    const uint32_t module = ledger.AddModule("/nowhere/prog", "\xab", 0x1000, ledger::kModuleExecutable);
    uint64_t address = 0x5000;
    for (size_t i = 0; i < blocks.size(); ++i) {
      const uint32_t stack = ledger.AddStack({{module, 0x10 * (i + 1)}}, Door::kMalloc);
      for (int block = 0; block < blocks[i]; ++block) ledger.AddBlock(stack, address += 0x100, 10, 1, 0, reach);
    }
    ledger.End(ledger::End::kExit, 0);
    return runner_.scratch().Write(name, ledger.Bytes());
  }

  CommandRunner runner_;
};

TEST_F(DiffCommandTest, TellsNewGrownShrunkAndGone) {
  const std::string before = Snapshot("old.mspy", {1, 2, 1, 0, 1}), now = Snapshot("new.mspy", {2, 1, 0, 1, 1});
  const CommandResult text = runner_.Run({"diff", before, now});
  EXPECT_EQ(text.status(), 23);
  EXPECT_EQ(text.error, "");
  EXPECT_THAT(text.output,
              AllOf(StartsWith("mallocspy: diff: 1 new, 1 grown, 1 shrunk, 1 gone, 1 same\n\nnew: +10 bytes"),
                    HasSubstr("\ngrown: +10 bytes, +1 blocks (now 20 bytes in 2 blocks, definite; before "),
                    HasSubstr("(/nowhere/prog+0x10)")));
  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{"--format=json"}, {"--format", "json"}}) {
    std::vector<std::string> arguments = {"diff", before, now};
    arguments.insert(arguments.begin() + 1, options.begin(), options.end());
    const json diff = json::parse(runner_.Run(arguments).output);
    EXPECT_EQ(diff["summary"], json::parse(R"({"new": 1, "grown": 1, "shrunk": 1, "gone": 1, "same": 1})"));
  }
}

TEST_F(DiffCommandTest, SnapshotsAndReportsAreOne) {
  const std::string before = Snapshot("old.mspy", {1, 2}), now = Snapshot("new.mspy", {1, 3});
  const std::string report = runner_.File("old.json");
  EXPECT_EQ(runner_.Run({"report", "--output", report, before}).status(), 23);
  EXPECT_EQ(runner_.Run({"diff", report, before}).status(), 0);
  EXPECT_EQ(runner_.Run({"diff", before, report}).status(), 0);
  EXPECT_EQ(runner_.Run({"diff", report, now}).status(), 23);
}

TEST_F(DiffCommandTest, FailOnTellsWhatMayNotGrow) {
  const std::string none = Snapshot("none.mspy", {});
  const std::string definite = Snapshot("definite.mspy", {1}),
                    unknown = Snapshot("unknown.mspy", {1}, ledger::Reach::kUnknown);
  const std::string possible = Snapshot("possible.mspy", {1}, ledger::Reach::kPossible);
  const std::string reachable = Snapshot("reachable.mspy", {1}, ledger::Reach::kReachable);
  const auto status = [this](const std::string& before, const std::string& now, const std::string& fail_on) {
    return runner_.Run({"diff", "--fail-on=" + fail_on, before, now}).status();
  };
  EXPECT_EQ(runner_.Run({"diff", none, reachable}).status(), 0);
  EXPECT_EQ(runner_.Run({"diff", none, unknown}).status(), 23);
  EXPECT_EQ(status(none, reachable, "reachable"), 23);
  EXPECT_EQ(status(none, reachable, "any"), 23);
  EXPECT_EQ(status(none, possible, "definite"), 0);
  EXPECT_EQ(status(none, possible, "definite,possible"), 23);
  EXPECT_EQ(status(reachable, definite, "definite"), 23);
  EXPECT_EQ(status(none, definite, "none"), 0);
}

TEST_F(DiffCommandTest, GoesWhereItIsTold) {
  const std::string file = Snapshot("a.mspy", {1}), output = runner_.File("diff.txt");
  EXPECT_EQ(runner_.Run({"diff", "--output=" + output, file, file}).output, "");
  EXPECT_EQ(ReadWholeFile(output), "mallocspy: diff: 0 new, 0 grown, 0 shrunk, 0 gone, 1 same\n");
  EXPECT_THAT(runner_.Run({"diff", "--output=-", file, file}).output, StartsWith("mallocspy: diff: "));
  EXPECT_EQ(runner_.Run({"diff", "--output=/dev/full", file, file}).status(), 25);
}

TEST_F(DiffCommandTest, WrongCommandLinesAndFilesAre2) {
  const std::string file = Snapshot("a.mspy", {1});
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"diff"},
                                             {"diff", file},
                                             {"diff", file, file, file},
                                             {"diff", "--format=xml", file, file},
                                             {"diff", "--format"},
                                             {"diff", "--outptu=x", file, file},
                                             {"diff", "--output=", file, file},
                                             {"diff", "-x", file, file},
                                             {"diff", "--fail-on=leaks", file, file},
                                             {"diff", file, runner_.File("none")},
                                             {"diff", runner_.scratch().Write("cut.json", "{\"schema\""), file}}) {
    const CommandResult result = runner_.Run(arguments);
    EXPECT_EQ(result.status(), 2) << arguments.back();
    EXPECT_EQ(result.output, "");
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << result.error;
  }
  EXPECT_THAT(runner_.Run({"diff", "--outptu=x", file, file}).error, HasSubstr("did you mean '--output'?"));
  EXPECT_THAT(runner_.Run({"diff", "--help"}).output, StartsWith("usage: mallocspy diff "));
  EXPECT_EQ(runner_.Run({"help", "diff"}).output, runner_.Run({"diff", "--help"}).output);
}

}  // namespace
}  // namespace mallocspy
