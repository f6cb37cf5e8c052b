#include "tools/command/acceptance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/tools/command/command_runner.h"

namespace mallocspy {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kKnown[] = "leak:/nowhere/prog\n";

// The fake recorder leaves one definite leak of 40 bytes by a nameless function of /nowhere/prog.
class AcceptanceTest : public ::testing::Test {
 protected:
  AcceptanceTest() { runner_.environment = {"FAKE_RECORDER=leak"}; }

  std::string Write(const std::string& name, const std::string& text) { return runner_.scratch().Write(name, text); }
  CommandResult Run(std::vector<std::string> options, const std::string& script = "true") {
    options.insert(options.begin(), "run");
    options.insert(options.end(), {"--", "/bin/sh", "-c", script});
    return runner_.Run(options);
  }

  CommandRunner runner_;
};

TEST_F(AcceptanceTest, ASuppressedLeakFailsNothing) {
  const CommandResult result = Run({"--suppressions=" + Write("a.supp", kKnown)});
  EXPECT_EQ(result.status(), 0);
  EXPECT_THAT(result.error, AllOf(StartsWith("mallocspy: clean: no leaks but 1 suppressed, in prog"),
                                  HasSubstr("mallocspy: suppressed: 1 block (40 bytes) by /nowhere/prog ("),
                                  Not(HasSubstr("Direct leak"))));
  EXPECT_EQ(Run({"--fail-on=any", "--suppressions", Write("a.supp", kKnown)}).status(), 0);
  EXPECT_EQ(Run({"--suppressions=" + Write("b.supp", "leak:other\n")}).status(), 23);
}

TEST_F(AcceptanceTest, SeveralFilesAreOneList) {
  EXPECT_EQ(Run({"--suppressions=" + Write("a.supp", "leak:other\n"),
                 "--suppressions=" + Write("b.supp", "{\n n\n Memcheck:Leak\n fun:malloc\n obj:*/prog\n}\n")})
                .status(),
            0);
}

TEST_F(AcceptanceTest, AWrongFileIsOneSentenceAndTheProgramDoesNotRun) {
  const std::string path = Write("a.supp", "leak:a\nlaek:b\n");
  const CommandResult wrong = Run({"--suppressions=" + path}, "echo ran");
  EXPECT_EQ(wrong.status(), 2);
  EXPECT_EQ(wrong.output, "");
  EXPECT_EQ(wrong.error,
            "mallocspy: " + path + ":2: 'laek:b' is neither leak:PATTERN, nor { of a Valgrind block, nor a comment\n");
  EXPECT_EQ(Run({"--suppressions=" + runner_.File("none")}).status(), 2);
  EXPECT_EQ(Run({"--suppressions="}).status(), 2);
}

TEST_F(AcceptanceTest, StaleSuppressionsAreToldAndFailWhenStrict) {
  const std::string known = Write("known.supp", kKnown);
  const std::string unused = Write("unused.supp", "leak:other\n");
  const std::string expired = Write("expired.supp", "#mallocspy: expires=2020-01-31\nleak:other\n");
  EXPECT_EQ(Run({"--strict-suppressions", "--suppressions=" + known}).status(), 0);
  const CommandResult result =
      Run({"--suppressions=" + known, "--suppressions=" + unused, "--suppressions=" + expired});
  EXPECT_EQ(result.status(), 0);
  EXPECT_THAT(result.error,
              AllOf(HasSubstr("1 suppression matched nothing: other ("), HasSubstr("has expired; it matched")));
  const std::vector<std::string> strict = {"--strict-suppressions", "--suppressions=" + known,
                                           "--suppressions=" + unused};
  EXPECT_EQ(Run(strict).status(), 26);
  EXPECT_EQ(Run({"--strict-suppressions", "--suppressions=" + known, "--suppressions=" + expired}).status(), 26);
  // What is worse, or the program's own, wins.
  EXPECT_EQ(Run({"--strict-suppressions", "--suppressions=" + unused}).status(), 23);
  EXPECT_EQ(Run(strict, "exit 3").status(), 3);
  std::vector<std::string> none = strict;
  none.emplace_back("--fail-on=none");
  EXPECT_EQ(Run(none).status(), 0);
}

TEST_F(AcceptanceTest, ACeilingThatIsMetByMoreSuppressesNothing) {
  const CommandResult result =
      Run({"--suppressions=" + Write("a.supp", std::string("#mallocspy: max-bytes=39\n") + kKnown)});
  EXPECT_EQ(result.status(), 23);
  EXPECT_THAT(result.error, HasSubstr("matched 1 block (40 bytes), more than its ceiling, so it suppressed nothing"));
}

TEST_F(AcceptanceTest, WrittenSuppressionsSilenceWhatTheyWereWrittenFor) {
  const std::string path = runner_.File("written.supp");
  EXPECT_EQ(Run({"--write-suppressions=" + path}).status(), 23);
  EXPECT_EQ(Run({"--strict-suppressions", "--suppressions=" + path}).status(), 0);
  EXPECT_THAT(Run({"--write-suppressions"}).error, StartsWith("{\n   mallocspy-"));
  const CommandResult nowhere = Run({"--write-suppressions=/dev/full"});
  EXPECT_EQ(nowhere.status(), 25);
  EXPECT_THAT(nowhere.error, HasSubstr("the suppressions could not be written (write: No space left on device)"));
}

TEST_F(AcceptanceTest, BuiltInOnesAreShown) {
  for (const char* const command : {"run", "report"}) {
    const CommandResult shown = runner_.Run({command, "--show-suppressions"});
    EXPECT_EQ(shown.status(), 0);
    EXPECT_THAT(shown.output, AllOf(StartsWith("{\n"), HasSubstr("Memcheck:Leak\n"), HasSubstr("reason=")));
    // They are in the form that --suppressions reads.
    EXPECT_EQ(Run({"--no-builtin-suppressions", "--suppressions=" + Write("shown.supp", shown.output)}).status(), 23);
  }
}

TEST_F(AcceptanceTest, AgainstABaselineOnlyWhatIsNewFails) {
  const std::string report = runner_.File("old.json"), snapshot = runner_.File("old.mspy");
  EXPECT_EQ(Run({"--output=" + report, "--keep=" + snapshot}).status(), 23);
  for (const std::string& baseline : {report, snapshot}) {
    const CommandResult known = Run({"--baseline=" + baseline});
    EXPECT_EQ(known.status(), 0);
    EXPECT_THAT(known.error, AllOf(StartsWith("mallocspy: clean: no new leaks, 1 known from the baseline, in prog"),
                                   HasSubstr(": 0 new, 0 grown, 1 known, 0 gone.\n")));
    EXPECT_EQ(Run({"--fail-on=any", "--baseline=" + baseline}).status(), 0);
    EXPECT_EQ(runner_.Run({"report", "--baseline=" + baseline, snapshot}).status(), 0);
  }
  // Both processes leak, so there is twice as much.
  const CommandResult grown = Run({"--baseline=" + report}, "/bin/true; true");
  EXPECT_EQ(grown.status(), 23);
  EXPECT_THAT(grown.error, HasSubstr("grown since the baseline, which has 1 block (40 bytes)"));
  runner_.environment = {"FAKE_RECORDER=clean"};
  const std::string clean = runner_.File("clean.json");
  EXPECT_EQ(Run({"--output=" + clean}).status(), 0);
  EXPECT_THAT(Run({"--baseline=" + report}).error, HasSubstr("0 known, 1 gone."));
  runner_.environment = {"FAKE_RECORDER=leak"};
  EXPECT_THAT(Run({"--baseline=" + clean}).error, HasSubstr("new since the baseline"));
}

TEST_F(AcceptanceTest, AReportAgainstABaselineIsABaselineAgain) {
  const std::string first = runner_.File("first.json"), second = runner_.File("second.json");
  EXPECT_EQ(Run({"--output=" + first}).status(), 23);
  EXPECT_EQ(Run({"--baseline=" + first, "--output=" + second}).status(), 0);
  EXPECT_EQ(json::parse(ReadWholeFile(second))["leaks"][0]["baseline"]["state"], "known");
  EXPECT_EQ(Run({"--baseline=" + second}).status(), 0);
}

TEST_F(AcceptanceTest, AWrongBaselineIsOneSentenceAndTheProgramDoesNotRun) {
  for (const char* const text : {"", "{\"schema\": \"mallocspy-report/1\", \"lea", "{}", "MSPY", "[]"}) {
    const CommandResult result = Run({"--baseline=" + Write("old.json", text)}, "echo ran");
    EXPECT_EQ(result.status(), 2) << text;
    EXPECT_EQ(result.output, "");
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << result.error;
    EXPECT_THAT(result.error, HasSubstr("old.json"));
  }
  EXPECT_EQ(Run({"--baseline=" + runner_.File("none")}).status(), 2);
  EXPECT_EQ(Run({"--baseline=" + runner_.scratch().path()}).status(), 2);
}

}  // namespace
}  // namespace mallocspy
