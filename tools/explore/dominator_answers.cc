#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "tools/explore/answers.h"
#include "tools/explore/block_filter.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

Column Number(const char* name) { return {name, Column::Kind::kNumber}; }
Column Bytes(const char* name) { return {name, Column::Kind::kBytes}; }

const std::vector<Column>& NodeColumns() {
  static const std::vector<Column>* const kColumns = new std::vector<Column>{
      Bytes("retained"), Number("blocks"), {"address", Column::Kind::kAddress}, Bytes("size"), {"what"}, {"reach"}, {"function"}};
  return *kColumns;
}

// A block or a holder. The function is named later, for rows that are shown.
std::vector<Cell> NodeRow(uint32_t node, ExploredHeap* heap) {
  const DominatorTree& tree = heap->tree();
  std::vector<Cell> row = {tree.RetainedBytes(node), uint64_t{tree.RetainedBlocks(node)}};
  if (heap->graph().IsBlock(node)) {
    const SnapshotBlock& block = heap->snapshot().blocks[node];
    row.insert(row.end(),
               {block.address, block.size, heap->types().Of(block), std::string(ReachWord(block.reach)), heap->FunctionOf(block.stack)});
  } else {
    const RootHolder& holder = heap->holders().all()[node - heap->graph().blocks()];
    row.insert(row.end(), {holder.address != 0 ? Cell(holder.address) : Cell(), Cell(), holder.name, Cell(), Cell()});
  }
  return row;
}

// The nodes as a table, those that retain most first, unless the question says else.
absl::Status AddNodes(const Question& question, std::string name, std::vector<uint32_t> nodes, ExploredHeap* heap, Answer* answer) {
  const DominatorTree& tree = heap->tree();
  if (!question.sort.empty() && question.sort != "retained") {
    Rows rows;
    for (const uint32_t node : nodes) rows.push_back(NodeRow(node, heap));
    return AddTable(question, std::move(name), NodeColumns(), std::move(rows), "", answer);
  }
  const uint64_t shown = ShownRows(question, nodes.size(), answer);
  const bool reversed = question.reversed;
  std::partial_sort(nodes.begin(), nodes.begin() + static_cast<ptrdiff_t>(shown), nodes.end(), [&tree, reversed](uint32_t a, uint32_t b) {
    const uint64_t x = tree.RetainedBytes(a), y = tree.RetainedBytes(b);
    return x == y ? a < b : reversed ? x < y : x > y;
  });
  Table table;
  table.name = std::move(name);
  table.columns = NodeColumns();
  table.rows = shown;
  table.row = [nodes = std::move(nodes), heap](uint64_t i) { return NodeRow(nodes[i], heap); };
  answer->tables.push_back(std::move(table));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Answer> RootsAnswer(const Question& question, ExploredHeap* heap) {
  const absl::Status known = heap->NeedGraph();
  if (!known.ok()) return known;
  const ObjectGraph& graph = heap->graph();
  Rows rows;
  for (uint32_t i = 0; i < graph.holders(); ++i) {
    const RootHolder& holder = heap->holders().all()[i];
    if (holder.words == 0) continue;
    const uint32_t node = graph.blocks() + i;
    rows.push_back({heap->tree().RetainedBytes(node), uint64_t{heap->tree().RetainedBlocks(node)}, uint64_t{holder.words},
                    holder.address != 0 ? Cell(holder.address) : Cell(), std::string(NameOf(holder.kind)),
                    holder.tid != 0 ? Cell(uint64_t{holder.tid}) : Cell(), holder.name, heap->snapshot().modules[holder.module].path});
  }
  Answer answer;
  answer.notes.emplace_back("retained: what would be lost without this root alone; what several roots lead to counts for none");
  const absl::Status added = AddTable(question, "rows",
                                      {Bytes("retained"),
                                       Number("blocks"),
                                       Number("words"),
                                       {"address", Column::Kind::kAddress},
                                       {"kind"},
                                       Number("thread"),
                                       {"name"},
                                       {"module"}},
                                      std::move(rows), "retained", &answer);
  if (!added.ok()) return added;
  return answer;
}

absl::StatusOr<Answer> DominatorsAnswer(const Question& question, ExploredHeap* heap) {
  const absl::Status known = heap->NeedGraph();
  if (!known.ok()) return known;
  const DominatorTree& tree = heap->tree();
  Answer answer;
  uint32_t node = tree.top();
  if (!question.operands.empty()) {
    const absl::StatusOr<uint32_t> index = BlockNamed(question.operands[0], heap);
    if (!index.ok()) return index.status();
    node = *index;
    Rows above;
    for (uint32_t up = node; up != tree.top(); up = tree.DominatorOf(up)) above.push_back(NodeRow(up, heap));
    std::reverse(above.begin(), above.end());
    answer.tables.push_back(Table::Of("above", NodeColumns(), std::move(above)));
  }
  const absl::Status added = AddNodes(question, node == tree.top() ? "rows" : "below", tree.DirectlyBelow(node), heap, &answer);
  if (!added.ok()) return added;
  return answer;
}

absl::StatusOr<Answer> RetainedAnswer(const Question& question, ExploredHeap* heap) {
  const absl::Status known = heap->NeedGraph();
  if (!known.ok()) return known;
  const bool all = !question.operands.empty();
  if (all && question.operands[0] != "all") {
    return absl::InvalidArgumentError(
        absl::StrCat("'", Escaped(question.operands[0]), "' is no filter; 'retained all' shows every link of a chain"));
  }
  absl::StatusOr<BlockSet> blocks = ChosenBlocks(question, heap);
  if (!blocks.ok()) return blocks.status();
  Answer answer;
  if (!all) {
    // Of a list each link retains all that follow: its first one says it.
    const DominatorTree& tree = heap->tree();
    const std::vector<SnapshotBlock>& every = heap->snapshot().blocks;
    std::vector<bool> chosen(every.size());
    for (const uint32_t block : *blocks) chosen[block] = true;
    const size_t before = blocks->size();
    std::erase_if(*blocks, [&](uint32_t block) {
      const uint32_t above = tree.DominatorOf(block);
      return above < every.size() && chosen[above] && every[above].stack == every[block].stack &&
             heap->types().KindOf(every[above]) == heap->types().KindOf(every[block]);
    });
    if (blocks->size() != before) {
      answer.notes.push_back(absl::StrCat(Count(before - blocks->size(), "block"),
                                          " that hang on another one of the same stack and type are left out ('retained all')"));
    }
  }
  const absl::Status added = AddNodes(question, "rows", *std::move(blocks), heap, &answer);
  if (!added.ok()) return added;
  return answer;
}

}  // namespace mallocspy
