// Which of the processes of a run are judged (--judge): whose leaks and heap errors count. The others are recorded and
// kept in the report all the same.
//
//     own       the user's programs: those that do not lie in the system's folders and are no shell, interpreter,
//     compiler
//               or build tool, and processes that loaded a library of the user's. If none of these ran: the program of
//               the command line, and all that are no such tools.
//     all       every process
//     PATTERN   as in a shell: programs of this name or, with a '/' in it, of this path
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

class JudgedPrograms {
 public:
  // Adds one value of --judge: a list of the above. Without any it is "own".
  absl::Status Add(absl::string_view list);

  // Sets verdict.judged of every process. The error says that patterns were given and no program was like them; then
  // all are judged.
  absl::Status Apply(std::vector<Findings>* reports) const;

 private:
  bool own_ = false;
  bool all_ = false;
  std::vector<std::string> patterns_;
};

}  // namespace mallocspy
