// What the explorer's commands answer. Each takes a question whose words suit it (explorer_commands.h).
#pragma once

#include "absl/status/statusor.h"
#include "tools/explore/explored_heap.h"
#include "tools/explore/question.h"
#include "tools/explore/table.h"

namespace mallocspy {

// block_answers.cc: blocks, and what they are together.
absl::StatusOr<Answer> SummaryAnswer(const Question& question, ExploredHeap* heap);
absl::StatusOr<Answer> BlocksAnswer(const Question& question, ExploredHeap* heap);
// The blocks of BlocksAnswer() alone, as a set.
absl::StatusOr<BlockSet> BlocksAsSet(const Question& question, ExploredHeap* heap);

// group_answers.cc
absl::StatusOr<Answer> StacksAnswer(const Question& question, ExploredHeap* heap);
absl::StatusOr<Answer> PeakAnswer(const Question& question, ExploredHeap* heap);
absl::StatusOr<Answer> TypesAnswer(const Question& question, ExploredHeap* heap);
absl::StatusOr<Answer> LeaksAnswer(const Question& question, ExploredHeap* heap);
absl::StatusOr<Answer> MarksAnswer(const Question& question, ExploredHeap* heap);
absl::StatusOr<Answer> ThreadsAnswer(const Question& question, ExploredHeap* heap);

// reference_answers.cc: what points to what.
absl::StatusOr<Answer> ShowAnswer(const Question& question, ExploredHeap* heap);
absl::StatusOr<Answer> RefsAnswer(const Question& question, ExploredHeap* heap);
absl::StatusOr<Answer> RefbyAnswer(const Question& question, ExploredHeap* heap);
absl::StatusOr<Answer> PathAnswer(const Question& question, ExploredHeap* heap);

// dominator_answers.cc: what would go with what.
absl::StatusOr<Answer> RootsAnswer(const Question& question, ExploredHeap* heap);
absl::StatusOr<Answer> DominatorsAnswer(const Question& question, ExploredHeap* heap);
absl::StatusOr<Answer> RetainedAnswer(const Question& question, ExploredHeap* heap);

// block_answers.cc: the block that an operand means, by an address in it.
absl::StatusOr<uint32_t> BlockNamed(const std::string& address, ExploredHeap* heap);

// block_answers.cc: "5 blocks, 4096 bytes (4.0K)".
std::string TotalText(const BlockSet& blocks, const ExploredHeap& heap);

}  // namespace mallocspy
