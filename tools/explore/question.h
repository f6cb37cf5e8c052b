// One command of the explorer, taken apart:
//
//   blocks  size>=1K function=Load  in A & B   top 10  sort -size  as json
//   name    filters                 a set      modifiers
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/explore/block_set.h"
#include "tools/explore/explored_heap.h"
#include "tools/explore/set_expression.h"
#include "tools/explore/table.h"
#include "tools/explore/table_writing.h"

namespace mallocspy {

struct Question {
  std::string command;
  std::vector<std::string> operands;  // words that are nothing else
  std::vector<std::string> filters;
  std::optional<BlockSet> set;   // "in ..."
  std::optional<uint64_t> most;  // rows; 0 for all of them; nothing if that was not said
  std::string sort;              // a column; empty if that was not said
  bool reversed = false;
  std::optional<TableFormat> format;

  bool chooses_blocks() const { return !filters.empty() || set.has_value(); }
};

// `words` is not empty. What stands there makes sense by itself; whether the command can use it is not looked at.
absl::StatusOr<Question> ParseQuestion(const std::vector<std::string>& words, const NamedSets& sets);

// Words that stand before something else in a command: "in", "top", ...
const std::vector<std::string>& Modifiers();

// The blocks that a question chooses: of its set, or of all, those that meet its filters.
absl::StatusOr<BlockSet> ChosenBlocks(const Question& question, ExploredHeap* heap);

// Rows of a table with their columns, in the order that the question asks for, else by `sort`, and as many; says in the answer's notes
// if there are more. A column of numbers has the largest first, one of addresses the lowest,
// one of texts the first of the alphabet.
using Rows = std::vector<std::vector<Cell>>;
absl::Status AddTable(const Question& question, std::string name, std::vector<Column> columns, Rows rows, const std::string& sort,
                      Answer* answer);

// As many of `rows` as are shown.
uint64_t ShownRows(const Question& question, uint64_t rows, Answer* answer);

}  // namespace mallocspy
