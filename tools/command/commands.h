// The commands that users may give: what the first word of the command line is looked up in, and the help is made of.
#pragma once

#include <string>
#include <vector>

namespace mallocspy {

struct CommandRow {
  const char* name;
  const char* arguments;  // as the usage shows them
  const char* summary;
  int (*run)(const std::vector<std::string>& arguments);  // those behind the name; the exit status
  std::string (*help)();
};
const std::vector<CommandRow>& Commands();

}  // namespace mallocspy
