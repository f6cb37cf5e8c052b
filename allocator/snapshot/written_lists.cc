#include "allocator/snapshot/written_lists.h"

#include "allocator/snapshot/block_list.h"
#include "allocator/snapshot/block_shapes.h"
#include "allocator/snapshot/picture.h"
#include "allocator/system/os_memory.h"

namespace mallocspy {
namespace {

using ledger::Block;
using ledger::List;

constexpr size_t kBufferBytes = 64 * 1024;

// Records in a row, through a buffer.
class ListWriter {
 public:
  ListWriter(SnapshotSink* sink, unsigned char* buffer, uint64_t offset) : sink_(sink), buffer_(buffer), offset_(offset), next_(offset) {}

  template <typename Record>
  void Add(const Record& record) {
    static_assert(kBufferBytes >= sizeof(Record));
    if (filled_ + sizeof(Record) > kBufferBytes) Flush();
    __builtin_memcpy(buffer_ + filled_, &record, sizeof(Record));
    filled_ += sizeof(Record);
    ++count_;
  }
  // The list, and in `end` where the next one can begin. False if the sink failed.
  bool End(List* list, uint64_t* end) {
    Flush();
    *list = {count_ != 0 ? offset_ : 0, count_};
    *end = RoundUp(next_, kPageBytes);
    return good_;
  }
  bool good() const { return good_; }

 private:
  void Flush() {
    good_ = good_ && sink_->Write(buffer_, filled_, next_);
    next_ += filled_;
    filled_ = 0;
  }

  SnapshotSink* sink_;
  unsigned char* buffer_;
  uint64_t offset_;
  uint64_t next_;
  uint64_t count_ = 0;
  size_t filled_ = 0;
  bool good_ = true;
};

// What the picture knows of the blocks' references, while the lists are written.
class Graph {
 public:
  explicit Graph(const Picture& picture) : blocks_(*picture.blocks), shapes_(*picture.blocks, *picture.map) {}
  ~Graph() {
    if (numbers_ != nullptr) Unmap(numbers_, (blocks_.size() + 1) * sizeof(uint32_t));
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  bool Prepare() {
    numbers_ = static_cast<uint32_t*>(MapPrivate((blocks_.size() + 1) * sizeof(uint32_t)));
    if (numbers_ == nullptr || !shapes_.Prepare()) return false;
    uint32_t listed = 0;
    for (size_t i = 0; i < blocks_.size(); ++i) numbers_[i] = blocks_.IsInherited(i) ? Reachability::kNoBlock : listed++;
    return true;
  }

  void WriteReferences(ListWriter* writer) {
    MemoryWindow window;
    window.Open();
    for (uint32_t i = 0; i < blocks_.size() && writer->good(); ++i) {
      if (numbers_[i] == Reachability::kNoBlock) continue;
      if (blocks_.SizeOf(i) >= sizeof(uintptr_t)) {
        uintptr_t first_word;
        __builtin_memcpy(&first_word, window.At(blocks_.AddressOf(i), sizeof(first_word)), sizeof(first_word));
        shapes_.NoteStart(i, first_word);
      }
      From from = {this, writer, i};
      blocks_.ForEachWord(i, &window, &Graph::MeetWord, &from);
    }
  }

  void WriteRootReferences(ListWriter* writer) {
    for (size_t i = 0; i < blocks_.root_word_count() && writer->good(); ++i) {
      const Reachability::RootWord& word = blocks_.root_word(i);
      if (numbers_[word.block] == Reachability::kNoBlock) continue;
      writer->Add(ledger::RootReference{word.place, word.tid, word.kind, numbers_[word.block], word.offset});
      // A container is of ten words at most, and no root is nearer to the end of memory.
      if (word.offset == 0 && word.place != 0) shapes_.NoteHolder(word.place, word.place + 10 * sizeof(uintptr_t), word.block);
    }
  }

  void WriteTypes(ListWriter* writer) const {
    for (uint16_t i = 1; i <= shapes_.type_count() && writer->good(); ++i) writer->Add(shapes_.type(i));
  }

  void Describe(Block* block) const {
    uint64_t offset;
    const uint32_t number = blocks_.Find(block->address, &offset);
    if (number == Reachability::kNoBlock || offset != 0) return;
    block->shape = shapes_.ShapeOf(number);
    block->type = shapes_.TypeOf(number);
  }

 private:
  struct From {
    Graph* graph;
    ListWriter* writer;
    uint32_t block;
  };

  static void MeetWord(uint64_t number, uintptr_t word, void* context) {
    const From* from = static_cast<From*>(context);
    Graph* graph = from->graph;
    uint64_t offset;
    const uint32_t to = graph->blocks_.Find(word, &offset);
    if (to == Reachability::kNoBlock || graph->numbers_[to] == Reachability::kNoBlock || number > UINT32_MAX) return;
    const auto near = static_cast<uint32_t>(offset < UINT32_MAX ? offset : UINT32_MAX);
    from->writer->Add(ledger::Reference{graph->numbers_[from->block], graph->numbers_[to], static_cast<uint32_t>(number), near});
    const uintptr_t start = graph->blocks_.AddressOf(from->block);
    if (offset == 0) graph->shapes_.NoteHolder(start + number * sizeof(uintptr_t), start + graph->blocks_.SizeOf(from->block), to);
  }

  const Reachability& blocks_;
  BlockShapes shapes_;
  uint32_t* numbers_ = nullptr;  // in the block list
};

struct BlockWriter {
  ListWriter writer;
  uint32_t lowest_mark;
  const Graph* graph;  // may be null
};

bool WriteBlock(const Block& block, void* context) {
  BlockWriter* to = static_cast<BlockWriter*>(context);
  if (block.mark < to->lowest_mark) return true;
  Block described = block;
  if (to->graph != nullptr) to->graph->Describe(&described);
  to->writer.Add(described);
  return to->writer.good();
}

// The graph's own lists come first: what a block seems to be is known only when all pointers were seen.
ListsWritten Write(SnapshotSink* sink, unsigned char* buffer, uint64_t offset, uint32_t lowest_mark, Graph* graph) {
  ListsWritten lists = {};
  lists.good = true;
  lists.end = offset;
  if (graph != nullptr) {
    ListWriter references(sink, buffer, lists.end);
    graph->WriteReferences(&references);
    lists.good = references.End(&lists.references, &lists.end);
    ListWriter roots(sink, buffer, lists.end);
    graph->WriteRootReferences(&roots);
    lists.good = roots.End(&lists.root_references, &lists.end) && lists.good;
    ListWriter types(sink, buffer, lists.end);
    graph->WriteTypes(&types);
    lists.good = types.End(&lists.types, &lists.end) && lists.good;
  }
  BlockWriter blocks = {ListWriter(sink, buffer, lists.end), lowest_mark, graph};
  ForEachBlock(WriteBlock, &blocks);
  lists.good = blocks.writer.End(&lists.blocks, &lists.end) && lists.good;
  return lists;
}

}  // namespace

ListsWritten WriteLists(SnapshotSink* sink, uint64_t offset, uint32_t lowest_mark, Content content) {
  unsigned char* buffer = static_cast<unsigned char*>(MapPrivate(kBufferBytes));
  ListsWritten lists = {};
  if (buffer == nullptr) return lists;
  const Picture* picture = content == Content::kGraph ? ThePicture() : nullptr;
  if (picture == nullptr) {
    lists = Write(sink, buffer, offset, lowest_mark, nullptr);
  } else if (Graph graph(*picture); graph.Prepare()) {
    lists = Write(sink, buffer, offset, 0, &graph);
  }
  Unmap(buffer, kBufferBytes);
  return lists;
}

}  // namespace mallocspy
