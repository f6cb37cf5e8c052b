#include <algorithm>
#include <map>
#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tools/explore/answers.h"
#include "tools/explore/block_filter.h"
#include "tools/graph/group_retention.h"
#include "tools/wording/count.h"

namespace mallocspy {
namespace {

struct Sum {
  uint64_t blocks = 0;
  uint64_t bytes = 0;
  void Add(const SnapshotBlock& block) {
    ++blocks;
    bytes += block.size;
  }
};

Column Number(const char* name) { return {name, Column::Kind::kNumber}; }
Column Bytes(const char* name) { return {name, Column::Kind::kBytes}; }

// Finds the names of stacks for the rows that are shown, unless they decide which these are.
Cell NameIfSorted(const Question& question, uint32_t stack, ExploredHeap* heap) {
  return question.sort == "function" ? Cell(heap->FunctionOf(stack)) : Cell();
}
void NameStacks(size_t stack_column, size_t function_column, ExploredHeap* heap, Table* table) {
  table->row = [row = std::move(table->row), stack_column, function_column, heap](uint64_t i) {
    std::vector<Cell> cells = row(i);
    cells[function_column] = heap->FunctionOf(static_cast<uint32_t>(std::get<uint64_t>(cells[stack_column])));
    return cells;
  };
}

// Blocks that are no leaks whatever leads to them, and those that a fork left behind.
bool IsExcused(const Snapshot& snapshot, const SnapshotBlock& block) {
  if ((block.flags & (ledger::kBlockIgnored | ledger::kBlockCache)) != 0) return true;
  if ((block.flags & ledger::kBlockHeaderDestroyed) != 0) return snapshot.origin == ledger::Origin::kFork;
  return block.mark < snapshot.base_mark;
}

}  // namespace

absl::StatusOr<Answer> StacksAnswer(const Question& question, ExploredHeap* heap) {
  const Snapshot& snapshot = heap->snapshot();
  std::vector<Sum> sums(snapshot.stacks.size());
  Answer answer;
  if (snapshot.blocks_known || question.chooses_blocks()) {
    const absl::StatusOr<BlockSet> blocks = ChosenBlocks(question, heap);
    if (!blocks.ok()) return blocks.status();
    for (const uint32_t block : *blocks) sums[snapshot.blocks[block].stack].Add(snapshot.blocks[block]);
    answer.notes.push_back(TotalText(*blocks, *heap));
  } else {
    for (size_t i = 0; i < sums.size(); ++i) sums[i] = {snapshot.stacks[i].live_blocks(), snapshot.stacks[i].live_bytes()};
    answer.notes.emplace_back("The process wrote no list of its blocks: these are the counters of its stacks.");
  }
  Rows rows;
  for (uint32_t stack = 0; stack < sums.size(); ++stack) {
    if (sums[stack].blocks == 0) continue;
    const SnapshotStack& counted = snapshot.stacks[stack];
    rows.push_back({sums[stack].bytes, sums[stack].blocks, sums[stack].bytes / sums[stack].blocks, counted.allocations, uint64_t{stack},
                    NameIfSorted(question, stack, heap)});
  }
  const absl::Status added =
      AddTable(question, "rows", {Bytes("bytes"), Number("blocks"), Bytes("mean"), Number("allocations"), Number("stack"), {"function"}},
               std::move(rows), "bytes", &answer);
  if (!added.ok()) return added;
  NameStacks(4, 5, heap, &answer.tables.back());
  return answer;
}

absl::StatusOr<Answer> PeakAnswer(const Question& question, ExploredHeap* heap) {
  const Snapshot& snapshot = heap->snapshot();
  Rows rows;
  for (uint32_t stack = 0; stack < snapshot.stacks.size(); ++stack) {
    const SnapshotStack& counted = snapshot.stacks[stack];
    if (counted.peak_blocks == 0) continue;
    rows.push_back({counted.peak_bytes, counted.peak_blocks, counted.live_bytes(), counted.live_blocks(), uint64_t{stack},
                    NameIfSorted(question, stack, heap)});
  }
  Answer answer;
  const SnapshotPeak& peak = snapshot.peak;
  answer.totals = {{"peak_bytes", snapshot.peak_bytes}, {"shown_bytes", peak.bytes}, {"shown_blocks", peak.blocks}};
  answer.notes.push_back(absl::StrCat("peak: ", snapshot.peak_bytes, " bytes; shown: ", peak.bytes, " bytes in ", Count(peak.blocks, "block"),
                                      peak.is_end ? ", which are live now" : ""));
  const absl::Status added = AddTable(
      question, "rows", {Bytes("peak_bytes"), Number("peak_blocks"), Bytes("bytes"), Number("blocks"), Number("stack"), {"function"}},
      std::move(rows), "peak_bytes", &answer);
  if (!added.ok()) return added;
  NameStacks(4, 5, heap, &answer.tables.back());
  return answer;
}

absl::StatusOr<Answer> TypesAnswer(const Question& question, ExploredHeap* heap) {
  const absl::StatusOr<BlockSet> blocks = ChosenBlocks(question, heap);
  if (!blocks.ok()) return blocks.status();
  const Snapshot& snapshot = heap->snapshot();
  TypeNames& types = heap->types();
  // Kinds of one name (a class in two modules) are one type.
  std::vector<uint32_t> type_of(types.kinds(), kNoGroup);
  absl::flat_hash_map<std::string, uint32_t> numbers;
  std::vector<Sum> sums;
  std::vector<std::string> names;
  std::vector<bool> chosen(snapshot.blocks.size());
  for (const uint32_t block : *blocks) {
    chosen[block] = true;
    const uint32_t kind = types.KindOf(snapshot.blocks[block]);
    if (type_of[kind] == kNoGroup) {
      const auto [place, added] = numbers.try_emplace(types.OfKind(kind), static_cast<uint32_t>(names.size()));
      if (added) {
        names.push_back(types.OfKind(kind));
        sums.emplace_back();
      }
      type_of[kind] = place->second;
    }
    sums[type_of[kind]].Add(snapshot.blocks[block]);
  }
  std::vector<uint64_t> retained;
  if (snapshot.has_graph) {
    retained = RetainedByGroups(heap->tree(), static_cast<uint32_t>(names.size()), [&](uint32_t node) {
      return heap->graph().IsBlock(node) && chosen[node] ? type_of[types.KindOf(snapshot.blocks[node])] : kNoGroup;
    });
  }
  Rows rows;
  for (size_t i = 0; i < names.size(); ++i) {
    rows.push_back({sums[i].bytes, retained.empty() ? Cell() : Cell(retained[i]), sums[i].blocks, names[i]});
  }
  Answer answer;
  answer.notes.push_back(TotalText(*blocks, *heap));
  const absl::Status added =
      AddTable(question, "rows", {Bytes("bytes"), Bytes("retained"), Number("blocks"), {"type"}}, std::move(rows), "bytes", &answer);
  if (!added.ok()) return added;
  return answer;
}

absl::StatusOr<Answer> LeaksAnswer(const Question& question, ExploredHeap* heap) {
  const absl::StatusOr<BlockSet> blocks = ChosenBlocks(question, heap);
  if (!blocks.ok()) return blocks.status();
  const Snapshot& snapshot = heap->snapshot();
  if (snapshot.marking == ledger::Marking::kUnknown) {
    return absl::FailedPreconditionError(
        "what still leads to the blocks is not known in this snapshot, so nobody can tell which are leaks; 'blocks' lists all");
  }
  struct Group {
    Sum sum;
    uint32_t first = 0;
  };
  std::map<std::pair<ledger::Reach, uint32_t>, Group> groups;
  std::map<ledger::Reach, Sum> classes;
  uint64_t excused = 0;
  for (const uint32_t index : *blocks) {
    const SnapshotBlock& block = snapshot.blocks[index];
    if (block.reach == ledger::Reach::kReachable || block.reach == ledger::Reach::kUnknown) continue;
    if (IsExcused(snapshot, block)) {
      ++excused;
      continue;
    }
    Group& group = groups[{block.reach, block.stack}];
    if (group.sum.blocks == 0) group.first = index;
    group.sum.Add(block);
    classes[block.reach].Add(block);
  }
  Answer answer;
  Rows totals;
  for (const auto& [reach, sum] : classes) totals.push_back({std::string(ReachWord(reach)), sum.blocks, sum.bytes});
  answer.tables.push_back(Table::Of("classes", {{"class"}, Number("blocks"), Bytes("bytes")}, std::move(totals)));
  Rows rows;
  for (const auto& [key, group] : groups) {
    rows.push_back({std::string(ReachWord(key.first)), group.sum.bytes, group.sum.blocks, heap->types().Of(snapshot.blocks[group.first]),
                    uint64_t{key.second}, NameIfSorted(question, key.second, heap)});
  }
  // Within a class the largest first.
  std::stable_sort(rows.begin(), rows.end(), [](const std::vector<Cell>& a, const std::vector<Cell>& b) { return a[1] > b[1]; });
  const absl::Status added =
      AddTable(question, "rows", {{"class"}, Bytes("bytes"), Number("blocks"), {"type"}, Number("stack"), {"function"}}, std::move(rows),
               "class", &answer);
  if (!added.ok()) return added;
  NameStacks(4, 5, heap, &answer.tables.back());
  if (groups.empty()) answer.notes.emplace_back("No block is lost.");
  if (excused != 0)
    answer.notes.push_back(absl::StrCat(Count(excused, "block"),
                                        " that the program or its libraries keep on purpose, or that a fork left behind, are left out."));
  return answer;
}

absl::StatusOr<Answer> MarksAnswer(const Question& question, ExploredHeap* heap) {
  const absl::StatusOr<BlockSet> blocks = ChosenBlocks(question, heap);
  if (!blocks.ok()) return blocks.status();
  const Snapshot& snapshot = heap->snapshot();
  std::map<uint64_t, Sum> sums;
  for (const SnapshotMark& mark : snapshot.marks) sums[mark.number];
  for (const uint32_t block : *blocks) sums[heap->MarkOf(snapshot.blocks[block])].Add(snapshot.blocks[block]);
  Rows rows;
  auto named = snapshot.marks.begin();
  for (const auto& [number, sum] : sums) {
    Cell name, began, live;
    if (named != snapshot.marks.end() && named->number == number) {
      name = named->name;
      began = absl::FormatTime(absl::FromUnixNanos(static_cast<int64_t>(named->began_ns)), absl::LocalTimeZone());
      live = named->live_bytes;
      ++named;
    }
    rows.push_back({number, name, began, live, sum.blocks, sum.bytes});
  }
  Answer answer;
  answer.notes.emplace_back("blocks and bytes: made between this mark and the next, and still live");
  Question in_order = question;
  in_order.reversed = question.sort.empty() || question.reversed;
  const absl::Status added =
      AddTable(in_order, "rows", {Number("mark"), {"name"}, {"began"}, Bytes("live_then"), Number("blocks"), Bytes("bytes")},
               std::move(rows), "mark", &answer);
  if (!added.ok()) return added;
  return answer;
}

absl::StatusOr<Answer> ThreadsAnswer(const Question& question, ExploredHeap* heap) {
  const absl::StatusOr<BlockSet> blocks = ChosenBlocks(question, heap);
  if (!blocks.ok()) return blocks.status();
  const Snapshot& snapshot = heap->snapshot();
  std::map<uint32_t, Sum> sums;
  std::map<uint32_t, std::string> names;
  for (const SnapshotThread& thread : snapshot.threads) {
    names[thread.tid] = thread.name;
    sums[thread.tid];
  }
  for (const uint32_t index : *blocks) {
    const uint32_t tid = snapshot.roots[snapshot.blocks[index].root].tid;
    if (tid != 0) sums[tid].Add(snapshot.blocks[index]);
  }
  Rows rows;
  for (const auto& [tid, sum] : sums) rows.push_back({uint64_t{tid}, names[tid], sum.blocks, sum.bytes});
  Answer answer;
  answer.notes.emplace_back("blocks and bytes: what was found first from the thread's stack, registers or thread-local data");
  const absl::Status added =
      AddTable(question, "rows", {Number("thread"), {"name"}, Number("blocks"), Bytes("bytes")}, std::move(rows), "bytes", &answer);
  if (!added.ok()) return added;
  return answer;
}

}  // namespace mallocspy
