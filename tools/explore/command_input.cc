#include "tools/explore/command_input.h"

#include <unistd.h>

#include <csignal>
#include <iostream>

#include "tools/explore/line_editor.h"

namespace mallocspy {
namespace {

volatile std::sig_atomic_t g_interrupted = 0;

// The second interrupt of a command that does not end ends the explorer.
void OnInterrupt(int) {
  if (g_interrupted != 0) _exit(128 + SIGINT);
  g_interrupted = 1;
}

class PlainInput : public CommandInput {
 public:
  bool ReadLine(std::string* line) override { return static_cast<bool>(std::getline(std::cin, *line)); }
};

// Adds to another input that an interrupt ends only the output of a command.
class InterruptibleInput : public CommandInput {
 public:
  explicit InterruptibleInput(std::unique_ptr<CommandInput> input) : input_(std::move(input)) {
    struct sigaction action = {};
    action.sa_handler = &OnInterrupt;
    action.sa_flags = SA_RESTART;
    sigaction(SIGINT, &action, nullptr);
  }
  bool ReadLine(std::string* line) override { return input_->ReadLine(line); }
  void BeginCommand() override { g_interrupted = 0; }
  bool interactive() const override { return true; }

 private:
  const std::unique_ptr<CommandInput> input_;
};

}  // namespace

std::unique_ptr<CommandInput> OpenCommandInput(Explorer* explorer) {
  if (isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0) {
    std::unique_ptr<CommandInput> editor = OpenLineEditor(explorer);
    if (editor != nullptr) return std::make_unique<InterruptibleInput>(std::move(editor));
  }
  return std::make_unique<PlainInput>();
}

bool CommandInterrupted() { return g_interrupted != 0; }

}  // namespace mallocspy
