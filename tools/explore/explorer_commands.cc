#include "tools/explore/explorer_commands.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "tools/explore/answers.h"
#include "tools/explore/block_filter.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

constexpr char kNodeKeys[] = "retained blocks address size what reach function";

constexpr char kOverview[] =
    "Words that may follow:\n"
    "  FILTER...      size>=1K function=Load* class=Session reach=definite ... ('help filters')\n"
    "  in SET         of these blocks only; sets are put together by & | - and parentheses\n"
    "  top N          so many rows ('limit N' is the same; 'top all')\n"
    "  sort KEY       by this column: the largest number, the lowest address, the first text; 'sort -KEY' the other way round\n"
    "  as FORMAT      table, json or csv\n"
    "\n"
    "ADDR is an address in a block (0x5000). '...' and \"...\" keep blanks; what follows # is a comment.\n";

std::string FiltersHelp() {
  std::string text = "Filters; a block must meet all that are given. Where '=' is shown, '!=' means the opposite.\n\n";
  for (const FilterKey& key : FilterKeys())
    absl::StrAppend(&text, absl::StrFormat("  %-18s %s\n", absl::StrCat(key.name, key.value), key.help));
  return text;
}

}  // namespace

const std::vector<ExplorerCommand>& ExplorerCommands() {
  static const std::vector<ExplorerCommand>* const kCommands = new std::vector<ExplorerCommand>{
      {"summary", "", "what the snapshot holds, in few lines", "", 0, 0, false, "", SummaryAnswer},
      {"blocks", "[FILTER...]", "blocks, the largest first", "", 0, 0, true, "address size retained type reach door mark stack function",
       BlocksAnswer},
      {"stacks", "[FILTER...]", "live blocks by the stack that made them", "allocations counts also blocks that were freed.", 0, 0, true,
       "bytes blocks mean allocations stack function", StacksAnswer},
      {"peak", "", "stacks by what they had when live bytes were at their highest",
       "It is as exact as the copy that the process made of its counters: within a hundredth of the peak, mostly.", 0, 0, false,
       "peak_bytes peak_blocks bytes blocks stack function", PeakAnswer},
      {"types", "[FILTER...]", "live blocks by class; guesses in parentheses",
       "retained is what would go with these blocks, where the snapshot has what points to what.", 0, 0, true, "bytes retained blocks type",
       TypesAnswer},
      {"leaks", "[FILTER...]", "lost blocks by class and stack", "The classes are those of 'mallocspy report'.", 0, 0, true,
       "class bytes blocks type stack function", LeaksAnswer},
      {"marks", "[FILTER...]", "marks, and what was made since each and still lives", "", 0, 0, true,
       "mark name began live_then blocks bytes", MarksAnswer},
      {"threads", "[FILTER...]", "threads, and what each holds", "", 0, 0, true, "thread name blocks bytes", ThreadsAnswer},
      {"roots", "", "what holds blocks and is none: variables, threads' stacks, ...",
       "A variable's words are one root. retained is what would be lost without it.", 0, 0, false,
       "retained blocks words address kind thread name module", RootsAnswer},
      {"show", "ADDR", "all about a block, with the stack that made it, and its contents if the dump has them", "", 1, 1, false, "", ShowAnswer},
      {"refs", "ADDR", "to which blocks it points",
       "at is the pointer's place in the block, into the place in the other one to which it points; both in bytes.", 1, 1, false,
       "at to into size type reach function", RefsAnswer},
      {"refby", "ADDR", "what points to it", "at is the pointer's place in that block, into the place in this one; both in bytes.", 1, 1,
       false, "from at into size what reach function", RefbyAnswer},
      {"path", "ADDR [N]", "why it is alive: the shortest way from a root; or N ways",
       "Ways differ in their root or in the last block before this one. at is the place of the pointer to the next line.", 1, 2, false,
       "path step address at into size what reach function", PathAnswer},
      {"dominators", "[ADDR]", "what alone keeps it alive, and what it alone keeps alive",
       "A block dominates another one if every way from a root to that one leads through it. Without ADDR: what nothing dominates.", 0, 1,
       false, kNodeKeys, DominatorsAnswer},
      {"retained", "[all] [FILTER...]", "blocks by what would go with them",
       "Links of a chain, which hang on another block of the same stack and type, are left out, but with 'all'.", 0, 1, true, kNodeKeys,
       RetainedAnswer},
      {"let", "NAME = blocks ... | SET", "gives blocks a name, a set",
       "let big = blocks size>=1M\nlet rest = big - cache\nA set's name alone lists it: big & cache", 0, 0, false, "", nullptr},
      {"sets", "", "the sets and their sizes", "", 0, 0, false, "", nullptr},
      {"help", "[COMMAND|filters]", "this text, or more of a command", "", 0, 1, false, "", nullptr},
      {"quit", "", "leaves; the end of input does, too", "", 0, 0, false, "", nullptr},
  };
  return *kCommands;
}

const ExplorerCommand* FindExplorerCommand(absl::string_view name) {
  for (const ExplorerCommand& command : ExplorerCommands()) {
    if (name == command.name) return &command;
  }
  return nullptr;
}

std::vector<std::string> ExplorerCommandNames() {
  std::vector<std::string> names;
  for (const ExplorerCommand& command : ExplorerCommands()) names.emplace_back(command.name);
  return names;
}

absl::Status CheckQuestion(const ExplorerCommand& command, const Question& question) {
  if (question.operands.size() < command.least_operands) {
    return absl::InvalidArgumentError(absl::StrCat(command.name, " needs ", command.arguments, "; 'help ", command.name, "' tells more"));
  }
  if (question.operands.size() > command.most_operands) {
    return absl::InvalidArgumentError(absl::StrCat(command.name, ": '", Escaped(question.operands[command.most_operands]),
                                                   "' is not understood; 'help ", command.name, "' tells what is"));
  }
  if (!command.chooses_blocks && question.chooses_blocks()) {
    return absl::InvalidArgumentError(absl::StrCat(command.name, " takes no ", question.filters.empty() ? "set" : "filter"));
  }
  if (command.sort_keys[0] == '\0' && !question.sort.empty())
    return absl::InvalidArgumentError(absl::StrCat(command.name, " cannot be sorted"));
  return absl::OkStatus();
}

std::string ExplorerHelp(absl::string_view topic) {
  std::string text;
  if (topic == "filters") return FiltersHelp();
  if (topic.empty()) {
    for (const ExplorerCommand& command : ExplorerCommands()) {
      absl::StrAppend(&text, absl::StrFormat("  %-26s %s\n", absl::StrCat(command.name, " ", command.arguments), command.summary));
    }
    return absl::StrCat(text, "\n", kOverview);
  }
  const ExplorerCommand* const command = FindExplorerCommand(topic);
  if (command == nullptr) return "";
  absl::StrAppend(&text, command->name, command->arguments[0] == '\0' ? "" : " ", command->arguments, "\n  ", command->summary, "\n");
  if (command->details[0] != '\0') absl::StrAppend(&text, command->details, "\n");
  if (command->sort_keys[0] != '\0') absl::StrAppend(&text, "sort: ", command->sort_keys, "\n");
  if (command->chooses_blocks) absl::StrAppend(&text, "'help filters' tells which blocks can be chosen.\n");
  return text;
}

}  // namespace mallocspy
