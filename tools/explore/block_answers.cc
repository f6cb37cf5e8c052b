#include <algorithm>
#include <array>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/explore/answers.h"
#include "tools/explore/block_filter.h"
#include "tools/explore/quantity.h"
#include "tools/verdict/findings.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"
#include "tools/wording/nearest.h"

namespace mallocspy {
namespace {

constexpr size_t kSummaryStacks = 5;

uint64_t BytesOf(const BlockSet& blocks, const ExploredHeap& heap) {
  uint64_t bytes = 0;
  for (const uint32_t block : blocks) bytes += heap.snapshot().blocks[block].size;
  return bytes;
}

// The place of each name in their alphabetical order.
std::vector<uint64_t> Ranks(size_t count, const std::function<const std::string*(size_t)>& name_of) {
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  static const std::string* const kNone = new std::string;
  const auto name = [&name_of](size_t i) -> const std::string& {
    const std::string* const found = name_of(i);
    return found != nullptr ? *found : *kNone;
  };
  std::stable_sort(order.begin(), order.end(), [&name](size_t a, size_t b) { return name(a) < name(b); });
  std::vector<uint64_t> ranks(count);
  for (size_t i = 0; i < count; ++i) ranks[order[i]] = i;
  return ranks;
}

struct BlockOrder {
  std::function<uint64_t(uint32_t)> key;
  bool descending = true;
};

absl::StatusOr<BlockOrder> OrderBy(const std::string& key, ExploredHeap* heap) {
  const Snapshot& snapshot = heap->snapshot();
  const auto field = [&snapshot](auto of) {
    return [&snapshot, of](uint32_t block) { return static_cast<uint64_t>(of(snapshot.blocks[block])); };
  };
  if (key == "size") return BlockOrder{field([](const SnapshotBlock& block) { return block.size; })};
  if (key == "address") return BlockOrder{field([](const SnapshotBlock& block) { return block.address; }), false};
  if (key == "mark") return BlockOrder{field([](const SnapshotBlock& block) { return block.mark; })};
  if (key == "stack") return BlockOrder{field([](const SnapshotBlock& block) { return block.stack; })};
  if (key == "reach") return BlockOrder{field([](const SnapshotBlock& block) { return block.reach; }), false};
  if (key == "door") return BlockOrder{field([](const SnapshotBlock& block) { return block.door; }), false};
  if (key == "retained") {
    const absl::Status graph = heap->NeedGraph();
    if (!graph.ok()) return graph;
    return BlockOrder{[&tree = heap->tree()](uint32_t block) { return tree.RetainedBytes(block); }};
  }
  if (key == "type") {
    std::vector<uint64_t> ranks =
        Ranks(heap->types().kinds(), [heap](size_t kind) { return &heap->types().OfKind(static_cast<uint32_t>(kind)); });
    return BlockOrder{
        [ranks = std::move(ranks), heap](uint32_t block) { return ranks[heap->types().KindOf(heap->snapshot().blocks[block])]; }, false};
  }
  if (key == "function") {
    std::vector<const std::string*> names(snapshot.stacks.size(), nullptr);
    for (const uint32_t stack : heap->live_stacks()) names[stack] = &heap->FunctionOf(stack);
    return BlockOrder{field([ranks = Ranks(names.size(), [&names](size_t i) { return names[i]; })](const SnapshotBlock& block) {
                        return ranks[block.stack];
                      }),
                      false};
  }
  return absl::InvalidArgumentError(
      NotAmong("sort", key, {"address", "size", "retained", "type", "reach", "door", "mark", "stack", "function"}));
}

// The blocks that are asked for, in the order that is; `rows` of them are in order for sure.
absl::Status Sort(const Question& question, uint64_t rows, ExploredHeap* heap, BlockSet* blocks) {
  absl::StatusOr<BlockOrder> order = OrderBy(question.sort.empty() ? "size" : question.sort, heap);
  if (!order.ok()) return order.status();
  const bool descending = order->descending != question.reversed;
  const auto before = [&order, descending](uint32_t a, uint32_t b) {
    const uint64_t x = order->key(a), y = order->key(b);
    return x == y ? a < b : descending ? x > y : x < y;
  };
  if (rows == blocks->size()) {
    std::sort(blocks->begin(), blocks->end(), before);
  } else {
    std::partial_sort(blocks->begin(), blocks->begin() + static_cast<ptrdiff_t>(rows), blocks->end(), before);
  }
  return absl::OkStatus();
}

}  // namespace

std::string TotalText(const BlockSet& blocks, const ExploredHeap& heap) {
  const uint64_t bytes = BytesOf(blocks, heap);
  const std::string human = HumanSize(bytes);
  return absl::StrCat(Count(blocks.size(), "block"), ", ", Count(bytes, "byte"), human.empty() ? "" : absl::StrCat(" (", human, ")"));
}

absl::StatusOr<uint32_t> BlockNamed(const std::string& address, ExploredHeap* heap) {
  const absl::Status known = heap->NeedBlocks();
  if (!known.ok()) return known;
  const std::optional<uint64_t> value = ParseAddress(address);
  if (!value.has_value()) return absl::InvalidArgumentError(absl::StrCat("'", Escaped(address), "' is no address (0x5000)"));
  const std::optional<uint32_t> block = heap->BlockAt(*value);
  if (!block.has_value()) return absl::NotFoundError(absl::StrCat("no live block is at 0x", absl::Hex(*value)));
  return *block;
}

absl::StatusOr<BlockSet> BlocksAsSet(const Question& question, ExploredHeap* heap) {
  absl::StatusOr<BlockSet> blocks = ChosenBlocks(question, heap);
  if (!blocks.ok()) return blocks;
  const uint64_t rows = question.most.value_or(0) == 0 ? blocks->size() : std::min<uint64_t>(*question.most, blocks->size());
  const absl::Status sorted = Sort(question, rows, heap, &*blocks);
  if (!sorted.ok()) return sorted;
  blocks->resize(rows);
  std::sort(blocks->begin(), blocks->end());
  return blocks;
}

absl::StatusOr<Answer> BlocksAnswer(const Question& question, ExploredHeap* heap) {
  absl::StatusOr<BlockSet> blocks = ChosenBlocks(question, heap);
  if (!blocks.ok()) return blocks.status();
  Answer answer;
  answer.notes.push_back(TotalText(*blocks, *heap));
  answer.totals = {{"blocks", blocks->size()}, {"bytes", BytesOf(*blocks, *heap)}};
  const uint64_t rows = ShownRows(question, blocks->size(), &answer);
  const absl::Status sorted = Sort(question, rows, heap, &*blocks);
  if (!sorted.ok()) return sorted;
  blocks->resize(rows);
  Table table;
  table.name = "rows";
  table.columns = {{"address", Column::Kind::kAddress}, {"size", Column::Kind::kBytes},   {"type"},    {"reach"}, {"door"},
                   {"mark", Column::Kind::kNumber},     {"stack", Column::Kind::kNumber}, {"function"}};
  const bool retained = question.sort == "retained";
  if (retained) table.columns.insert(table.columns.begin() + 2, {"retained", Column::Kind::kBytes});
  table.rows = rows;
  table.row = [blocks = *std::move(blocks), heap, retained](uint64_t i) {
    const SnapshotBlock& block = heap->snapshot().blocks[blocks[i]];
    std::vector<Cell> row = {block.address, block.size};
    if (retained) row.emplace_back(heap->tree().RetainedBytes(blocks[i]));
    row.insert(row.end(), {heap->types().Of(block), std::string(ReachWord(block.reach)), std::string(NameOf(block.door)),
                           heap->MarkOf(block), uint64_t{block.stack}, heap->FunctionOf(block.stack)});
    return row;
  };
  answer.tables.push_back(std::move(table));
  return answer;
}

absl::StatusOr<Answer> SummaryAnswer(const Question& question, ExploredHeap* heap) {
  const Snapshot& snapshot = heap->snapshot();
  Answer answer;
  uint64_t blocks = 0, bytes = 0, allocations = 0;
  std::vector<std::pair<uint64_t, uint32_t>> largest;  // bytes and number of stacks
  std::vector<std::pair<uint64_t, uint64_t>> of_stack(snapshot.stacks.size());
  std::array<std::pair<uint64_t, uint64_t>, 5> of_reach = {};
  for (const SnapshotBlock& block : snapshot.blocks) {
    of_stack[block.stack].first += 1;
    of_stack[block.stack].second += block.size;
    of_reach[static_cast<size_t>(block.reach)].first += 1;
    of_reach[static_cast<size_t>(block.reach)].second += block.size;
  }
  for (uint32_t stack = 0; stack < of_stack.size(); ++stack) {
    if (!snapshot.blocks_known) of_stack[stack] = {snapshot.stacks[stack].live_blocks(), snapshot.stacks[stack].live_bytes()};
    blocks += of_stack[stack].first;
    bytes += of_stack[stack].second;
    allocations += snapshot.stacks[stack].allocations;
    if (of_stack[stack].first != 0) largest.push_back({of_stack[stack].second, stack});
  }
  const auto number = [](const char* name) { return Column{name, Column::Kind::kNumber}; };
  const Cell none;
  std::vector<std::pair<Column, Cell>> record = {
      {{"program"}, snapshot.exe},
      {{"command_line"}, absl::StrJoin(snapshot.cmdline, " ")},
      {number("pid"), uint64_t{snapshot.pid}},
      {{"made"},
       std::string(snapshot.end == ledger::End::kPicture     ? "while it ran"
                   : snapshot.state == ledger::State::kEnded ? "at its end"
                                                             : "of a process that did not end in order")},
      {number("live_blocks"), blocks},
      {{"live_bytes", Column::Kind::kBytes}, bytes},
      {{"peak_bytes", Column::Kind::kBytes}, snapshot.peak_bytes},
      {number("allocations"), allocations},
      {number("stacks"), uint64_t{largest.size()}},
      {number("threads"), uint64_t{snapshot.threads.size()}},
      {number("marks"), uint64_t{snapshot.marks.size()}},
      {number("references"), snapshot.has_graph ? Cell(uint64_t{snapshot.references.size()}) : none},
      {number("root_references"), snapshot.has_graph ? Cell(uint64_t{snapshot.root_references.size()}) : none},
      {number("classes"), snapshot.has_graph ? Cell(uint64_t{snapshot.types.size() - 1}) : none},
  };
  answer.tables.push_back(Table::Record("process", std::move(record)));
  Rows classes;
  if (snapshot.blocks_known) {
    for (const auto reach : {ledger::Reach::kDefinite, ledger::Reach::kIndirect, ledger::Reach::kPossible, ledger::Reach::kReachable,
                             ledger::Reach::kUnknown}) {
      const auto [count, sum] = of_reach[static_cast<size_t>(reach)];
      if (count != 0) classes.push_back({std::string(ReachWord(reach)), count, sum});
    }
  }
  answer.tables.push_back(
      Table::Of("reach", {{"reach"}, {"blocks", Column::Kind::kNumber}, {"bytes", Column::Kind::kBytes}}, std::move(classes)));
  const size_t shown = std::min<size_t>(
      question.most.value_or(kSummaryStacks) == 0 ? largest.size() : question.most.value_or(kSummaryStacks), largest.size());
  std::partial_sort(largest.begin(), largest.begin() + static_cast<ptrdiff_t>(shown), largest.end(),
                    [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  Rows stacks;
  for (size_t i = 0; i < shown; ++i) {
    const uint32_t stack = largest[i].second;
    stacks.push_back({of_stack[stack].second, of_stack[stack].first, uint64_t{stack}, heap->FunctionOf(stack)});
  }
  answer.tables.push_back(
      Table::Of("largest_stacks",
                {{"bytes", Column::Kind::kBytes}, {"blocks", Column::Kind::kNumber}, {"stack", Column::Kind::kNumber}, {"function"}},
                std::move(stacks)));
  if (!snapshot.blocks_known) answer.notes.push_back("The process wrote no list of its blocks: these are the counters of its stacks.");
  if (!snapshot.has_graph) answer.notes.emplace_back("What points to what is not in this snapshot; 'mallocspy dump PID' writes it.");
  if (snapshot.damaged_records != 0)
    answer.notes.push_back(absl::StrCat(Count(snapshot.damaged_records, "damaged record"), " of the file were left out."));
  return answer;
}

}  // namespace mallocspy
