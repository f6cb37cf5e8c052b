// What the command tells about itself.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace mallocspy {

// Help for a command, or for all of mallocspy if `topic` is empty. Empty for an unknown topic.
std::string HelpText(absl::string_view topic);

// Prints it to standard output. The exit status.
int PrintHelp(absl::string_view topic);

int PrintVersion();

// Of each command that has no file for it.
std::string RunHelp();
std::string ReportHelp();
std::string DiffHelp();
std::string OomHelp();
std::string ServeHelp();

}  // namespace mallocspy
