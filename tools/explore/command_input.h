// Where the explorer's lines come from: a terminal, with editing, completion and history, or anything else.
#pragma once

#include <memory>
#include <string>

#include "tools/explore/explorer.h"

namespace mallocspy {

class CommandInput {
 public:
  virtual ~CommandInput() = default;
  // The next line, without its end. False at the end of the input.
  virtual bool ReadLine(std::string* line) = 0;
  // From now on an interrupt ends the output of the command, and not the explorer.
  virtual void BeginCommand() {}
  virtual bool interactive() const { return false; }
};

// Of the standard input. Completion asks `explorer`, which must outlive the result.
std::unique_ptr<CommandInput> OpenCommandInput(Explorer* explorer);

// Whether the user interrupted the command that runs.
bool CommandInterrupted();

}  // namespace mallocspy
