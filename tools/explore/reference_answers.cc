#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tools/explore/answers.h"
#include "tools/explore/block_filter.h"
#include "tools/explore/content_answers.h"
#include "tools/graph/holding_path.h"
#include "tools/verdict/findings.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

constexpr uint64_t kWordBytes = 8;
constexpr uint64_t kMostPaths = 1000;
constexpr uint32_t kNoBlock = UINT32_MAX;

Column Number(const char* name) { return {name, Column::Kind::kNumber}; }
Column Bytes(const char* name) { return {name, Column::Kind::kBytes}; }
Column Address(const char* name) { return {name, Column::Kind::kAddress}; }

Cell OffsetCell(uint32_t offset) { return uint64_t{offset}; }

// The mark at which a block was made, with its name.
std::string MarkText(const SnapshotBlock& block, const ExploredHeap& heap) {
  const uint64_t number = heap.MarkOf(block);
  for (const SnapshotMark& mark : heap.snapshot().marks) {
    if (mark.number == number && !mark.name.empty()) return absl::StrCat(number, " \"", mark.name, "\"");
  }
  return absl::StrCat(number);
}

// What the block is to a row of another one: address, size, type, function.
void Append(const SnapshotBlock& block, ExploredHeap* heap, std::vector<Cell>* row) {
  row->insert(row->end(), {block.size, heap->types().Of(block), std::string(ReachWord(block.reach)), heap->FunctionOf(block.stack)});
}

Table Frames(uint32_t node, ExploredHeap* heap) {
  Rows rows;
  bool cut = false;
  for (const Frame& frame : heap->namer().Name(heap->snapshot(), node, &cut)) {
    const std::string place = frame.line != 0 ? absl::StrCat(frame.file, ":", frame.line) : "";
    const std::string nameless =
        frame.module.empty() ? "" : absl::StrCat(frame.module.substr(frame.module.rfind('/') + 1), "+0x", absl::Hex(frame.offset));
    rows.push_back({uint64_t{rows.size()}, frame.address, frame.function.empty() ? nameless : frame.function, place,
                    frame.module.substr(frame.module.rfind('/') + 1)});
  }
  return Table::Of("frames", {Number("frame"), Address("address"), {"function"}, {"place"}, {"module"}}, std::move(rows));
}

// A sentence about a block that no root leads to.
std::string LostText(uint32_t block, ExploredHeap* heap) {
  const DominatorTree& tree = heap->tree();
  uint32_t head = block;
  while (tree.DominatorOf(head) != tree.top()) head = tree.DominatorOf(head);
  const std::string self = absl::StrCat("0x", absl::Hex(heap->snapshot().blocks[block].address));
  if (head == block && heap->graph().ReferrersOf(block).empty()) return absl::StrCat("Nothing points to ", self, ".");
  if (head == block) return absl::StrCat("No root leads to ", self, "; only lost blocks point to it ('refby ", self, "').");
  return absl::StrCat("No root leads to ", self, "; it hangs on the lost block 0x", absl::Hex(heap->snapshot().blocks[head].address), ".");
}

}  // namespace

absl::StatusOr<Answer> ShowAnswer(const Question& question, ExploredHeap* heap) {
  const absl::StatusOr<uint32_t> index = BlockNamed(question.operands[0], heap);
  if (!index.ok()) return index.status();
  const Snapshot& snapshot = heap->snapshot();
  const SnapshotBlock& block = snapshot.blocks[*index];
  std::vector<std::pair<Column, Cell>> record = {
      {Address("address"), block.address},
      {Bytes("size"), block.size},
      {{"type"}, heap->types().Of(block)},
      {{"shape"}, std::string(ShapeWord(block.shape))},
      {{"reach"}, std::string(ReachWord(block.reach))},
      {{"held_by"}, block.root != 0 ? Cell(heap->holders().NameOfWord(block.root)) : Cell()},
      {{"door"}, std::string(NameOf(block.door))},
      {{"mark"}, MarkText(block, *heap)},
      {Number("stack"), uint64_t{block.stack}},
  };
  std::string state;
  const auto flag = [&](uint8_t bit, absl::string_view text) {
    if ((block.flags & bit) != 0) absl::StrAppend(&state, state.empty() ? "" : "; ", text);
  };
  flag(ledger::kBlockHeaderDestroyed, "its header was overwritten, so its size, door, mark and stack are not known");
  flag(ledger::kBlockGuardDestroyed, "something wrote behind its end");
  flag(ledger::kBlockIgnored, "the program said that it is no leak");
  flag(ledger::kBlockCache, "a library keeps it and would free it if it were asked to");
  record.push_back({{"state"}, state.empty() ? Cell() : Cell(state)});
  if (snapshot.has_graph) {
    const ObjectGraph& graph = heap->graph();
    const DominatorTree& tree = heap->tree();
    record.push_back({Number("references"), uint64_t{graph.OutDegree(*index)}});
    record.push_back({Number("referrers"), uint64_t{graph.ReferrersOf(*index).size()}});
    record.push_back({Number("root_words"), uint64_t{graph.RootReferencesTo(*index).size()}});
    record.push_back({Bytes("retained"), tree.RetainedBytes(*index)});
    record.push_back({Number("retained_blocks"), uint64_t{tree.RetainedBlocks(*index)}});
  }
  Answer answer;
  answer.tables.push_back(Table::Record("block", std::move(record)));
  answer.tables.push_back(Frames(snapshot.stacks[block.stack].node, heap));
  if (const absl::Status added = AddContents(question, *index, heap, &answer); !added.ok()) return added;
  return answer;
}

absl::StatusOr<Answer> RefsAnswer(const Question& question, ExploredHeap* heap) {
  const absl::Status known = heap->NeedGraph();
  if (!known.ok()) return known;
  const absl::StatusOr<uint32_t> index = BlockNamed(question.operands[0], heap);
  if (!index.ok()) return index.status();
  Rows rows;
  for (const SnapshotReference& reference : heap->graph().ReferencesFrom(*index)) {
    const SnapshotBlock& to = heap->snapshot().blocks[reference.to];
    std::vector<Cell> row = {reference.word * kWordBytes, to.address, OffsetCell(reference.offset)};
    Append(to, heap, &row);
    rows.push_back(std::move(row));
  }
  Answer answer;
  if (rows.empty())
    answer.notes.push_back(
        absl::StrCat("The block at 0x", absl::Hex(heap->snapshot().blocks[*index].address), " holds no pointer to a block."));
  const absl::Status added =
      AddTable(question, "rows", {Number("at"), Address("to"), Number("into"), Bytes("size"), {"type"}, {"reach"}, {"function"}},
               std::move(rows), "", &answer);
  if (!added.ok()) return added;
  return answer;
}

absl::StatusOr<Answer> RefbyAnswer(const Question& question, ExploredHeap* heap) {
  const absl::Status known = heap->NeedGraph();
  if (!known.ok()) return known;
  const absl::StatusOr<uint32_t> index = BlockNamed(question.operands[0], heap);
  if (!index.ok()) return index.status();
  const Snapshot& snapshot = heap->snapshot();
  const ObjectGraph& graph = heap->graph();
  Rows rows;
  for (const uint32_t i : graph.RootReferencesTo(*index)) {
    const SnapshotRootReference& reference = snapshot.root_references[i];
    const uint64_t address = snapshot.roots[reference.root].address;
    rows.push_back({address != 0 ? Cell(address) : Cell(), Cell(), OffsetCell(reference.offset), Cell(),
                    heap->holders().NameOfWord(reference.root), Cell(), Cell()});
  }
  uint32_t last = kNoBlock;
  for (const uint32_t from : graph.ReferrersOf(*index)) {
    if (from == last) continue;
    last = from;
    for (const SnapshotReference& reference : graph.ReferencesFrom(from)) {
      if (reference.to != *index) continue;
      std::vector<Cell> row = {snapshot.blocks[from].address, reference.word * kWordBytes, OffsetCell(reference.offset)};
      Append(snapshot.blocks[from], heap, &row);
      rows.push_back(std::move(row));
    }
  }
  Answer answer;
  if (rows.empty()) answer.notes.push_back(LostText(*index, heap));
  const absl::Status added =
      AddTable(question, "rows", {Address("from"), Number("at"), Number("into"), Bytes("size"), {"what"}, {"reach"}, {"function"}},
               std::move(rows), "", &answer);
  if (!added.ok()) return added;
  return answer;
}

absl::StatusOr<Answer> PathAnswer(const Question& question, ExploredHeap* heap) {
  const absl::Status known = heap->NeedGraph();
  if (!known.ok()) return known;
  uint64_t most = 1;
  if (question.operands.size() > 1 && (!absl::SimpleAtoi(question.operands[1], &most) || most == 0 || most > kMostPaths)) {
    return absl::InvalidArgumentError(absl::StrCat("'", Escaped(question.operands[1]), "' is no number of paths (1 to ", kMostPaths, ")"));
  }
  const absl::StatusOr<uint32_t> index = BlockNamed(question.operands[0], heap);
  if (!index.ok()) return index.status();
  const Snapshot& snapshot = heap->snapshot();
  const std::vector<HoldingPath> paths = FindHoldingPaths(snapshot, heap->graph(), *index, most);
  Rows rows;
  for (size_t path = 0; path < paths.size(); ++path) {
    const uint64_t word = snapshot.roots[paths[path].root].address;
    const std::vector<HoldingStep>& steps = paths[path].steps;
    rows.push_back({uint64_t{path + 1}, uint64_t{0}, word != 0 ? Cell(word) : Cell(), Cell(), OffsetCell(steps[0].offset), Cell(),
                    heap->holders().NameOfWord(paths[path].root), Cell(), Cell()});
    for (size_t step = 0; step < steps.size(); ++step) {
      const SnapshotBlock& block = snapshot.blocks[steps[step].block];
      std::vector<Cell> row = {uint64_t{path + 1}, uint64_t{step + 1}, block.address, Cell(), Cell()};
      if (step + 1 < steps.size()) {
        row[3] = steps[step + 1].word * kWordBytes;
        row[4] = OffsetCell(steps[step + 1].offset);
      }
      Append(block, heap, &row);
      rows.push_back(std::move(row));
    }
  }
  Answer answer;
  if (paths.empty()) answer.notes.push_back(LostText(*index, heap));
  if (paths.size() == 1 && most == 1) {
    const uint64_t words = heap->graph().ReferrersOf(*index).size() + heap->graph().RootReferencesTo(*index).size();
    if (words > 1)
      answer.notes.push_back(
          absl::StrCat(Count(words, "word"), " point to it; 'path 0x", absl::Hex(snapshot.blocks[*index].address), " 5' shows other ways"));
  }
  Question whole = question;
  if (!whole.most.has_value()) whole.most = 0;
  const absl::Status added = AddTable(
      whole, "rows",
      {Number("path"), Number("step"), Address("address"), Number("at"), Number("into"), Bytes("size"), {"what"}, {"reach"}, {"function"}},
      std::move(rows), "", &answer);
  if (!added.ok()) return added;
  return answer;
}

}  // namespace mallocspy
