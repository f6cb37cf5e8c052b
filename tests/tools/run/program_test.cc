// How `mallocspy run` and its program share a terminal.
#include "tools/run/program.h"

#include <gtest/gtest.h>
#include <pty.h>

#include <csignal>

#include "tests/tools/command/command_runner.h"

namespace mallocspy {
namespace {

// A run on a terminal of its own.
class TerminalRun {
 public:
  explicit TerminalRun(const std::string& script) : script_(script) {
    pid_ = forkpty(&terminal_, nullptr, nullptr, nullptr);
    if (pid_ == 0) {
      setenv("MALLOCSPY_LIBRARY", FAKE_RECORDER_LIBRARY, 1);
      setenv("FAKE_RECORDER", "clean", 1);
      execl(MALLOCSPY_COMMAND, "mallocspy", "run", "--output=/dev/null", "--", "/bin/sh", "-c", script_.c_str(),
            static_cast<char*>(nullptr));
      _exit(99);
    }
  }
  ~TerminalRun() { close(terminal_); }
  TerminalRun(const TerminalRun&) = delete;
  TerminalRun& operator=(const TerminalRun&) = delete;

  void Type(const std::string& keys) const {
    EXPECT_EQ(write(terminal_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  // Waits for the run's next change: its end, or that it stops.
  int Wait() const {
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, WUNTRACED), pid_);
    return status;
  }
  pid_t pid() const { return pid_; }
  bool HasTerminal() const { return pid_ > 0; }

 private:
  const std::string script_;
  int terminal_ = -1;
  pid_t pid_ = 0;
};

TEST(Program, CtrlCIsTheProgramsToHandle) {
  const CommandRunner runner;
  const TerminalRun run("trap 'exit 6' INT; : > " + runner.File("ready") + "; while :; do sleep 0.01; done");
  if (!run.HasTerminal()) GTEST_SKIP() << "this machine has no pseudo-terminals (devpts is not mounted)";
  runner.WaitForFile("ready");
  run.Type("\x03");
  const int status = run.Wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 6) << status;
}

TEST(Program, CtrlCThatKillsTheProgramKillsTheRunLikewise) {
  const CommandRunner runner;
  const TerminalRun run(": > " + runner.File("ready") + "; while :; do sleep 0.01; done");
  if (!run.HasTerminal()) GTEST_SKIP() << "this machine has no pseudo-terminals (devpts is not mounted)";
  runner.WaitForFile("ready");
  run.Type("\x03");
  const int status = run.Wait();
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) << status;
}

TEST(Program, OnATerminalTheRunStopsAndGoesOnWithTheProgram) {
  const TerminalRun run("kill -STOP $$; exit 4");
  if (!run.HasTerminal()) GTEST_SKIP() << "this machine has no pseudo-terminals (devpts is not mounted)";
  const int stopped = run.Wait();
  EXPECT_TRUE(WIFSTOPPED(stopped) && WSTOPSIG(stopped) == SIGSTOP) << stopped;
  kill(run.pid(), SIGCONT);
  const int status = run.Wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 4) << status;
}

TEST(Program, WithoutATerminalOnlyTheProgramStops) {
  CommandRunner runner;
  // In a session without a terminal; whoever stopped the program wakes it by itself.
  const CommandResult result = runner.RunProgram(
      {"/usr/bin/setsid", "--wait", MALLOCSPY_COMMAND, "run", "--", "/bin/sh", "-c",
       "(while ! grep -q '^State:.T' /proc/$$/status; do sleep 0.01; done; kill -CONT $$) & kill -STOP $$; exit 4"});
  EXPECT_EQ(result.status(), 4);
}

}  // namespace
}  // namespace mallocspy
