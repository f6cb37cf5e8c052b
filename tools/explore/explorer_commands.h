// The commands of the explorer, in one table: for carrying them out, for the help and for completion.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/explore/explored_heap.h"
#include "tools/explore/question.h"
#include "tools/explore/table.h"

namespace mallocspy {

struct ExplorerCommand {
  const char* name;
  const char* arguments;  // for the help
  const char* summary;
  const char* details;  // sentences of the help
  size_t least_operands;
  size_t most_operands;
  bool chooses_blocks;                                                          // takes filters and "in SET"
  const char* sort_keys;                                                        // what "sort" takes, separated by blanks; empty for nothing
  absl::StatusOr<Answer> (*run)(const Question& question, ExploredHeap* heap);  // null: the explorer's own
};

const std::vector<ExplorerCommand>& ExplorerCommands();
const ExplorerCommand* FindExplorerCommand(absl::string_view name);
std::vector<std::string> ExplorerCommandNames();

// What is wrong with a question that its command cannot use.
absl::Status CheckQuestion(const ExplorerCommand& command, const Question& question);

// Of a command, of "filters", or of all if `topic` is empty; empty for one that nobody knows.
std::string ExplorerHelp(absl::string_view topic);

}  // namespace mallocspy
