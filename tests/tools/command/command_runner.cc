#include "tests/tools/command/command_runner.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace mallocspy {

CommandResult CommandRunner::Run(const std::vector<std::string>& arguments,
                                 const std::function<void(pid_t)>& meanwhile) {
  std::vector<std::string> command = {MALLOCSPY_COMMAND};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return RunProgram(command, meanwhile);
}

CommandResult CommandRunner::RunProgram(std::vector<std::string> command, const std::function<void(pid_t)>& meanwhile) {
  std::vector<std::string> variables = {"PATH=/usr/bin:/bin", "HOME=/", "MALLOCSPY_LIBRARY=" FAKE_RECORDER_LIBRARY,
                                        "XDG_RUNTIME_DIR=" + run_directory(), "FAKE_RECORDER=clean"};
  for (const std::string& variable : environment) {
    const std::string name = variable.substr(0, variable.find('=') + 1);
    std::erase_if(variables, [&name](const std::string& old) { return old.rfind(name, 0) == 0; });
    variables.push_back(variable);
  }
  scratch_.Write("stdin", input);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, File("stdin").c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, File("stdout").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&files, 2, File("stderr").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t pid = 0;
  const int failed =
      posix_spawn(&pid, command[0].c_str(), &files, nullptr, Pointers(&command).data(), Pointers(&variables).data());
  posix_spawn_file_actions_destroy(&files);
  CommandResult result;
  EXPECT_EQ(failed, 0) << "cannot run " << command[0];
  if (failed != 0) return result;
  if (meanwhile != nullptr) meanwhile(pid);
  EXPECT_EQ(waitpid(pid, &result.wait_status, 0), pid);
  result.output = ReadWholeFile(File("stdout"));
  result.error = ReadWholeFile(File("stderr"));
  return result;
}

void CommandRunner::WaitForFile(const std::string& name) const {
  constexpr int kTries = 20000;  // well over a minute, also on a busy machine
  for (int i = 0; i < kTries && access(File(name).c_str(), F_OK) != 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(access(File(name).c_str(), F_OK), 0) << "the program under test did not get as far as to make " << name;
}

}  // namespace mallocspy
