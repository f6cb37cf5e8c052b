#include "tools/command/run_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "tests/tools/command/command_runner.h"
#include "tools/run/directory_listing.h"

namespace mallocspy {
namespace {

using nlohmann::json;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class RunCommandTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(ListDirectory(runner_.run_directory()), IsEmpty()); }

  void Plan(const std::string& plan) { runner_.environment.push_back("FAKE_RECORDER=" + plan); }
  CommandResult Shell(const std::string& script, std::vector<std::string> options = {}) {
    options.insert(options.begin(), "run");
    options.insert(options.end(), {"--", "/bin/sh", "-c", script});
    return runner_.Run(options);
  }

  CommandRunner runner_;
};

TEST_F(RunCommandTest, InputOutputAndStatusAreTheProgramsOwn) {
  runner_.input = "some input";
  const CommandResult result = Shell("cat; echo problem >&2");
  EXPECT_EQ(result.status(), 0);
  EXPECT_EQ(result.output, "some input");
  EXPECT_THAT(result.error, StartsWith("problem\nmallocspy: clean: "));
}

TEST_F(RunCommandTest, ExitStatusFollowsFailOn) {
  Plan("leak");
  EXPECT_EQ(Shell("true").status(), 23);
  EXPECT_EQ(Shell("true", {"--fail-on=any"}).status(), 23);
  EXPECT_EQ(Shell("true", {"--fail-on=definite"}).status(), 23);
  EXPECT_EQ(Shell("true", {"--fail-on=errors,possible"}).status(), 0);
  Plan("unknown-leak");
  EXPECT_EQ(Shell("true", {"--fail-on=any"}).status(), 23);
  EXPECT_EQ(Shell("true").status(), 25);  // nobody knows whether they are
  EXPECT_EQ(Shell("true", {"--fail-on=errors"}).status(), 0);
  Plan("leak,error");
  EXPECT_EQ(Shell("true").status(), 24);
  EXPECT_EQ(Shell("true", {"--fail-on=any"}).status(), 24);
  EXPECT_EQ(Shell("true", {"--fail-on=none"}).status(), 0);
  EXPECT_EQ(Shell("exit 3").status(), 3);
  EXPECT_EQ(Shell("exit 3", {"--fail-on=none"}).status(), 3);
}

TEST_F(RunCommandTest, DiesOfTheSignalThatKilledTheProgram) {
  Plan("leak,running");
  for (const int signal : {SIGKILL, SIGTERM, SIGSEGV, SIGINT}) {
    const CommandResult result = Shell("kill -" + std::to_string(signal) + " $$");
    EXPECT_EQ(result.status(), -signal);
    EXPECT_FALSE(WCOREDUMP(result.wait_status));
    EXPECT_THAT(result.error, HasSubstr("live totals are the record's counters"));
    EXPECT_THAT(result.error, HasSubstr("Direct leak of 40 byte(s) in 1 object(s) allocated from:\n"));
  }
}

TEST_F(RunCommandTest, ProgramsThatCannotBeRun) {
  EXPECT_EQ(runner_.Run({"run", "--", "no-such-program"}).status(), 127);
  EXPECT_EQ(runner_.Run({"run", "--", runner_.File("none")}).status(), 127);
  const std::string path = runner_.scratch().Write("not-executable", "x");
  EXPECT_EQ(runner_.Run({"run", "--", path}).status(), 126);
  EXPECT_EQ(runner_.Run({"run", "--", "/"}).status(), 126);
}

TEST_F(RunCommandTest, AScriptWithoutInterpreterLineRunsAsAShellRunsIt) {
  const std::string path = runner_.scratch().Write("script", "echo ran $1; exit 4\n");
  chmod(path.c_str(), 0755);
  const CommandResult result = runner_.Run({"run", path, "arg"});
  EXPECT_EQ(result.status(), 4);
  EXPECT_EQ(result.output, "ran arg\n");
}

TEST_F(RunCommandTest, AMissingInterpreterIsNamedAsTheProblem) {
  const std::string path = runner_.scratch().Write("script", "#!/nowhere/interpreter\n");
  chmod(path.c_str(), 0755);
  const CommandResult result = runner_.Run({"run", path});
  EXPECT_EQ(result.status(), 126);
  EXPECT_THAT(result.error, HasSubstr("the interpreter in its #! line"));
}

TEST_F(RunCommandTest, WrongCommandLinesAre2) {
  EXPECT_EQ(runner_.Run({"run"}).status(), 2);
  EXPECT_EQ(runner_.Run({"run", "--fromat=json", "true"}).status(), 2);
  EXPECT_EQ(runner_.Run({"run", "--spy=none.so", "true"}).status(), 2);
  EXPECT_EQ(runner_.Run({"rnu"}).status(), 2);
  EXPECT_EQ(runner_.Run({}).status(), 2);
  runner_.environment = {"MALLOCSPY_OPTIONS=gaurd=1"};
  const CommandResult result = runner_.Run({"run", "true"});
  EXPECT_EQ(result.status(), 2);
  EXPECT_THAT(result.error, HasSubstr("did you mean 'guard'?"));
}

TEST_F(RunCommandTest, JsonToAFileNamedByThePid) {
  Plan("leak");
  const CommandResult result = Shell("echo $$", {"--format=json", "--output=" + runner_.File("%p.json")});
  EXPECT_EQ(result.status(), 23);
  EXPECT_EQ(result.error, "");
  const std::string pid = result.output.substr(0, result.output.find('\n'));
  const json report = json::parse(ReadWholeFile(runner_.File(pid + ".json")));
  EXPECT_EQ(report["process"]["pid"], std::stoi(pid));
  EXPECT_EQ(report["process"]["exit"]["code"], 0);
  EXPECT_EQ(report["leaks"][0]["bytes"], 40);
  EXPECT_EQ(report["leaks"][0]["frames"][0]["build_id"], "ab");
}

TEST_F(RunCommandTest, JsonWithoutAFileLeavesStandardOutputToTheProgram) {
  const CommandResult result = Shell("echo mine", {"--format=json"});
  EXPECT_EQ(result.output, "mine\n");
  EXPECT_EQ(json::parse(result.error)["verdict"]["status"], "clean");
  EXPECT_THAT(Shell("true", {"--format=json", "--output=-"}).output, StartsWith("{"));
}

TEST_F(RunCommandTest, AReportThatCannotBeWrittenIs25AndOneLine) {
  const CommandResult result = Shell("echo ran", {"--output=" + runner_.File("none/report")});
  EXPECT_EQ(result.status(), 25);
  EXPECT_EQ(result.output, "ran\n");
  EXPECT_THAT(result.error, MatchesRegex("mallocspy: the report could not be written to [^\n]*none/report [^\n]*\n"));
  EXPECT_EQ(Shell("true", {"--output=/dev/full"}).status(), 25);
  EXPECT_EQ(Shell("true", {"--output=" + runner_.File("none/report"), "--fail-on=none"}).status(), 0);
  EXPECT_EQ(Shell("exit 3", {"--output=" + runner_.File("none/report")}).status(), 3);
}

TEST_F(RunCommandTest, SeveralReportsAtOnceAndTheTextToo) {
  Plan("leak,error");
  const CommandResult result =
      Shell("echo mine", {"--format=junit", "--output=" + runner_.File("%p.xml"), "--format=sarif",
                          "--output=" + runner_.File("b.json"), "--output=" + runner_.File("c"), "--format=markdown",
                          "--output=" + runner_.File("d.md"), "--format=json", "--output=-"});
  EXPECT_EQ(result.status(), 24);
  EXPECT_THAT(result.output, StartsWith("mine\n{\n\"schema\": \"mallocspy-report/1\""));
  EXPECT_THAT(result.error, StartsWith("mallocspy: errors: 1 heap error in prog (pid "));
  const int pid = json::parse(result.output.substr(5))["process"]["pid"];
  EXPECT_THAT(ReadWholeFile(runner_.File(std::to_string(pid) + ".xml")), HasSubstr("<failure type=\"double-free\""));
  EXPECT_EQ(json::parse(ReadWholeFile(runner_.File("b.json")))["runs"][0]["results"][1]["ruleId"], "leak-definite");
  EXPECT_EQ(ReadWholeFile(runner_.File("b.json")), ReadWholeFile(runner_.File("c")));
  EXPECT_THAT(ReadWholeFile(runner_.File("d.md")), StartsWith("## mallocspy: errors\n"));
}

TEST_F(RunCommandTest, TheTextGoesWhereItIsSent) {
  Plan("leak");
  const CommandResult quiet =
      Shell("true", {"--output=" + runner_.File("a.xml"), "--format=text", "--output=" + runner_.File("text")});
  EXPECT_EQ(quiet.error, "");
  EXPECT_THAT(ReadWholeFile(runner_.File("text")), StartsWith("mallocspy: leaks: prog"));
  const CommandResult github = Shell("echo mine", {"--format=github"});
  EXPECT_EQ(github.output, "mine\n");
  EXPECT_THAT(github.error, StartsWith("::error title=mallocspy%3A definite leak of 40 bytes in 1 block"));
}

TEST_F(RunCommandTest, AReportThatCannotBeWrittenDoesNotKeepTheOthersBack) {
  Plan("leak");
  const CommandResult result = Shell("true", {"--output=" + runner_.File("none/a.xml"),
                                              "--output=" + runner_.File("b.md"), "--output=" + runner_.File("text")});
  EXPECT_EQ(result.status(), 25);
  EXPECT_THAT(result.error,
              MatchesRegex("mallocspy: the junit report could not be written to [^\n]*none/a.xml [^\n]*\n"));
  EXPECT_THAT(ReadWholeFile(runner_.File("b.md")), HasSubstr("| definite | 1 | 40 | "));
  EXPECT_THAT(ReadWholeFile(runner_.File("text")), HasSubstr("SUMMARY: mallocspy: 40 byte(s)"));
}

TEST_F(RunCommandTest, TheSameFileTwiceIs2AndNothingRuns) {
  const std::string output = "--output=" + runner_.File("a.xml");
  const CommandResult result = Shell("echo ran", {output, "--format=json", output});
  EXPECT_EQ(result.status(), 2);
  EXPECT_EQ(result.output, "");
  EXPECT_THAT(result.error, MatchesRegex("mallocspy: --output=[^\n]*a.xml is given twice[^\n]*\n"));
}

TEST_F(RunCommandTest, AProgramThatWasNotRecordedIs25) {
  Plan("none");
  const CommandResult result = Shell("echo ran");
  EXPECT_EQ(result.status(), 25);
  EXPECT_EQ(result.output, "ran\n");
  EXPECT_THAT(result.error, HasSubstr("left no record"));
  EXPECT_EQ(Shell("true", {"--fail-on=none"}).status(), 0);
}

TEST_F(RunCommandTest, ASpyThatWasNotLoadedIs25WhateverTheLibraryExitedWith) {
  Plan("no-spy");
  EXPECT_EQ(Shell("exit 9").status(), 25);
}

TEST_F(RunCommandTest, WhatCannotBeRecordedIsNotRunUnlessNothingCanFail) {
  runner_.environment = {"MALLOCSPY_LIBRARY=/nowhere/libmallocspy.so"};
  const CommandResult refused = Shell("echo ran");
  EXPECT_EQ(refused.status(), 25);
  EXPECT_EQ(refused.output, "");
  EXPECT_THAT(refused.error, HasSubstr("it was not run"));
  const CommandResult plain = Shell("echo ran; exit 3", {"--fail-on=none"});
  EXPECT_EQ(plain.status(), 3);
  EXPECT_EQ(plain.output, "ran\n");
  EXPECT_THAT(plain.error, StartsWith("mallocspy: warning: "));
}

TEST_F(RunCommandTest, ChildrenAreReported) {
  Plan("error");
  const CommandResult result = Shell("/bin/true; exit 0", {"--format=json", "--output=" + runner_.File("report.json")});
  EXPECT_EQ(result.status(), 24);
  const json report = json::parse(ReadWholeFile(runner_.File("report.json")));
  ASSERT_EQ(report["children"].size(), 1u);
  EXPECT_NE(report["children"][0]["process"]["pid"], report["process"]["pid"]);
  EXPECT_EQ(report["children"][0]["verdict"]["status"], "errors");
}

TEST_F(RunCommandTest, PercentPIsAFileForEachProcess) {
  Plan("leak");
  const CommandResult result = Shell("/bin/true; /bin/true; exec /bin/true",
                                     {"--output=" + runner_.File("%p.json"), "--output=" + runner_.File("all.json")});
  EXPECT_EQ(result.status(), 23);
  const json all = json::parse(ReadWholeFile(runner_.File("all.json")));
  ASSERT_EQ(all["children"].size(), 3u);  // the shell before it became the last one, and two
  EXPECT_EQ(all["summary"]["processes"], 3);
  EXPECT_EQ(all["summary"]["leaks"][0]["processes"], 3);
  int files = 0;
  for (const json& process : all["children"]) {
    const json report =
        json::parse(ReadWholeFile(runner_.File(std::to_string(process["process"]["pid"].get<int>()) + ".json")));
    const bool first = process["process"]["pid"] == all["process"]["pid"];
    EXPECT_EQ(report["process"]["pid"], process["process"]["pid"]);
    EXPECT_EQ(report["children"].size(), first ? 1u : 0u);
    EXPECT_EQ(report["summary"]["processes"], 1);
    ++files;
  }
  EXPECT_EQ(files, 3);
  EXPECT_THAT(result.error, StartsWith("mallocspy: leaks: 3 "));
}

TEST_F(RunCommandTest, OnlyJudgedProgramsCount) {
  Plan("leak");
  EXPECT_EQ(Shell("true", {"--judge=prog"}).status(), 23);
  EXPECT_EQ(Shell("true", {"--judge=all"}).status(), 23);
  const CommandResult none = Shell("true", {"--judge=other,*/elsewhere/*"});
  EXPECT_EQ(none.status(), 25);
  EXPECT_THAT(none.error, HasSubstr("--judge=other,*/elsewhere/*: no program of this name ran"));
  EXPECT_THAT(none.error, HasSubstr("mallocspy: leaks: prog"));
  EXPECT_EQ(Shell("true", {"--judge="}).status(), 2);
  EXPECT_EQ(Shell("true", {"--keep=" + runner_.File("k.mspy")}).status(), 23);
  EXPECT_EQ(runner_.Run({"report", "--judge=other", runner_.File("k.mspy")}).status(), 25);
}

TEST_F(RunCommandTest, TheSelfTestTakesNoProgram) {
  const CommandResult result = runner_.Run({"run", "--self-test", "--", "true"});
  EXPECT_EQ(result.status(), 2);
  EXPECT_THAT(result.error, HasSubstr("--self-test"));
}

// The fake library records nothing of what was planted.
TEST_F(RunCommandTest, TheSelfTestFailsWhereTheLeakIsNotFound) {
  for (const char* const plan : {"leak", "error", "none"}) {
    Plan(plan);
    const CommandResult result = runner_.Run({"run", "--self-test"});
    EXPECT_EQ(result.status(), 25) << plan;
    EXPECT_THAT(result.output, HasSubstr("  FAIL  ")) << plan;
    EXPECT_THAT(result.output, HasSubstr("\nmallocspy: self-test failed: ")) << plan;
  }
}

TEST_F(RunCommandTest, TheSelfTestSaysThatTheLibraryIsMissing) {
  runner_.environment = {"MALLOCSPY_LIBRARY=/nowhere/libmallocspy.so"};
  const CommandResult result = runner_.Run({"run", "--self-test"});
  EXPECT_EQ(result.status(), 25);
  EXPECT_THAT(result.output, HasSubstr("FAIL  library     MALLOCSPY_LIBRARY names '/nowhere/libmallocspy.so'"));
}

TEST_F(RunCommandTest, TheLastImageIsTheTopLevel) {
  Plan("leak");
  const CommandResult result = Shell("exec /bin/true", {"--format=json", "--keep=" + runner_.File("k.mspy"),
                                                        "--output=" + runner_.File("report.json")});
  EXPECT_EQ(result.status(), 23);
  const json report = json::parse(ReadWholeFile(runner_.File("report.json")));
  ASSERT_EQ(report["children"].size(), 1u);
  EXPECT_EQ(report["children"][0]["process"]["pid"], report["process"]["pid"]);
  EXPECT_EQ(access(runner_.File("k.mspy").c_str(), R_OK), 0);
}

TEST_F(RunCommandTest, WhatIsKeptCanBeReported) {
  Plan("leak");
  EXPECT_EQ(Shell("true", {"--keep=" + runner_.File("kept.mspy")}).status(), 23);
  const CommandResult text = runner_.Run({"report", "--fail-on=any", runner_.File("kept.mspy")});
  EXPECT_EQ(text.status(), 23);
  EXPECT_EQ(text.output, "");
  EXPECT_THAT(text.error, HasSubstr("SUMMARY: mallocspy: 40 byte(s) leaked in 1 allocation(s).\n"));
  const CommandResult as_json =
      runner_.Run({"report", "--format=json", runner_.File("kept.mspy"), runner_.File("kept.mspy")});
  EXPECT_EQ(json::parse(as_json.output)["children"].size(), 1u);
  const CommandResult sarif =
      runner_.Run({"report", "--format=sarif", runner_.File("kept.mspy"), runner_.File("kept.mspy")});
  EXPECT_EQ(sarif.error, "");
  EXPECT_EQ(json::parse(sarif.output)["runs"][0]["invocations"].size(), 2u);
  const CommandResult unkept = Shell("true", {"--keep=" + runner_.File("none/kept.mspy")});
  EXPECT_EQ(unkept.status(), 25);
  EXPECT_THAT(unkept.error, HasSubstr("cannot keep"));
}

TEST_F(RunCommandTest, ReportOfWhatIsNoSnapshotIs2) {
  const CommandResult missing = runner_.Run({"report", runner_.File("none.mspy")});
  EXPECT_EQ(missing.status(), 2);
  EXPECT_THAT(missing.error, HasSubstr("cannot open"));
  EXPECT_EQ(runner_.Run({"report", runner_.scratch().Write("x", "garbage")}).status(), 2);
  EXPECT_EQ(runner_.Run({"report"}).status(), 2);
}

TEST_F(RunCommandTest, SignalsGoOnToTheProgram) {
  const std::string ready = runner_.File("ready");
  for (const int signal : {SIGTERM, SIGHUP, SIGUSR1, SIGRTMIN + 3}) {
    std::error_code ignored;
    std::filesystem::remove(ready, ignored);
    // A shell learns of signals between two commands only.
    const std::string script =
        "trap 'exit 5' " + std::to_string(signal) + "; : > " + ready + "; while :; do sleep 0.01; done";
    const CommandResult result = runner_.Run({"run", "--", "/bin/sh", "-c", script}, [&](pid_t pid) {
      runner_.WaitForFile("ready");
      kill(pid, signal);
    });
    EXPECT_EQ(result.status(), 5) << signal;
    EXPECT_THAT(result.error, HasSubstr("clean"));
  }
}

TEST_F(RunCommandTest, TheProgramSeesNothingOfUs) {
  // Signals, descriptors and the group it is in. The environment has four known differences.
  const std::string script =
      "grep -E '^(Sig|Shd|NSpgid|NSsid)' /proc/self/status | grep -v SigQ; ls /proc/self/fd; ulimit -a; umask; "
      "env | grep -v -e ^LD_PRELOAD= -e ^MALLOCSPY_ -e ^_= | sort";
  const CommandResult direct = runner_.RunProgram({"/bin/sh", "-c", script});
  const CommandResult recorded = Shell(script);
  EXPECT_NE(direct.output, "");
  EXPECT_EQ(direct.output, recorded.output);
}

TEST_F(RunCommandTest, ACallerThatIgnoresItsChildrenDoesNotHideTheEnd) {
  // The shell passes the ignored signal on.
  const CommandResult result = runner_.RunProgram(
      {"/usr/bin/env", "--ignore-signal=CHLD", MALLOCSPY_COMMAND, "run", "--", "/bin/sh", "-c", "exit 6"});
  EXPECT_EQ(result.status(), 6);
}

TEST_F(RunCommandTest, HelpAndVersionGoToStandardOutput) {
  EXPECT_THAT(runner_.Run({"--version"}).output, StartsWith("mallocspy "));
  EXPECT_THAT(runner_.Run({"help", "run"}).output, HasSubstr("--fail-on=LIST"));
  EXPECT_EQ(runner_.Run({"run", "--help"}).output, runner_.Run({"help", "run"}).output);
  EXPECT_THAT(runner_.Run({"help", "options"}).output, HasSubstr("guard=0|1"));
  const CommandResult unknown = runner_.Run({"help", "rnu"});
  EXPECT_EQ(unknown.status(), 2);
  EXPECT_THAT(unknown.error, HasSubstr("did you mean 'run'?"));
}

}  // namespace
}  // namespace mallocspy
