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
  // `count` counts bytes then. What is all zero becomes a hole, unless it is very short.
  void AddBytes(const unsigned char* bytes, size_t size) {
    if (size >= kPageBytes && IsZero(bytes, size)) {
      Flush();
      next_ += size;
    } else {
      if (filled_ + size > kBufferBytes) Flush();
      __builtin_memcpy(buffer_ + filled_, bytes, size);
      filled_ += size;
    }
    count_ += size;
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
  static bool IsZero(const unsigned char* bytes, size_t size) {
    return bytes[0] == 0 && __builtin_memcmp(bytes, bytes + 1, size - 1) == 0;
  }

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
  explicit Graph(const Picture& picture) : blocks_(*picture.blocks), map_(*picture.map), shapes_(blocks_, map_) {}
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

  // The words that point to something other than blocks.
  void WriteContentWords(ListWriter* writer) {
    uint32_t block = 0;
    const auto take = [&](const unsigned char* bytes, uint64_t offset, size_t size) {
      for (size_t at = 0; at + sizeof(uintptr_t) <= size; at += sizeof(uintptr_t)) {
        uintptr_t word;
        __builtin_memcpy(&word, bytes + at, sizeof(word));
        const uint64_t number = (offset + at) / sizeof(uintptr_t);
        if (word < kPageBytes || number > UINT32_MAX || map_.Find(word) == nullptr) continue;
        uint64_t inside;
        if (blocks_.Find(word, &inside) != Reachability::kNoBlock) continue;
        writer->Add(ledger::ContentWord{numbers_[block], static_cast<uint32_t>(number), word});
      }
    };
    MemoryWindow window;
    window.Open();
    for (; block < blocks_.size() && writer->good(); ++block) Read(block, *writer, &window, take);
  }

  void WriteContentBytes(ListWriter* writer) {
    constexpr unsigned char kPadding[sizeof(uintptr_t)] = {};
    const auto take = [writer](const unsigned char* bytes, uint64_t, size_t size) { writer->AddBytes(bytes, size); };
    MemoryWindow window;
    window.Open();
    for (uint32_t i = 0; i < blocks_.size() && writer->good(); ++i) {
      Read(i, *writer, &window, take);
      const uint64_t size = numbers_[i] == Reachability::kNoBlock ? 0 : blocks_.SizeOf(i);
      writer->AddBytes(kPadding, RoundUp(size, sizeof(uintptr_t)) - size);
    }
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

  // Calls take() with the bytes of a listed block, piece by piece; each piece but the last is whole words.
  template <typename Take>
  void Read(uint32_t block, const ListWriter& writer, MemoryWindow* window, Take take) const {
    if (numbers_[block] == Reachability::kNoBlock) return;
    const uint64_t size = blocks_.SizeOf(block);
    for (uint64_t offset = 0; offset < size && writer.good(); offset += MemoryWindow::kMostBytes) {
      const size_t now = size - offset < MemoryWindow::kMostBytes ? size - offset : MemoryWindow::kMostBytes;
      take(window->At(blocks_.AddressOf(block) + offset, now), offset, now);
    }
  }

  const Reachability& blocks_;
  const MemoryMap& map_;
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

template <typename WriteRecords>
void WriteList(SnapshotSink* sink, unsigned char* buffer, ListsWritten* lists, List* list, WriteRecords write) {
  ListWriter writer(sink, buffer, lists->end);
  write(&writer);
  lists->good = writer.End(list, &lists->end) && lists->good;
}

// The graph's own lists come before the blocks: what a block seems to be is known only when all pointers were seen.
ListsWritten Write(SnapshotSink* sink, unsigned char* buffer, uint64_t offset, uint32_t lowest_mark, ledger::Contents contents, Graph* graph) {
  ListsWritten lists = {};
  lists.good = true;
  lists.end = offset;
  const auto write = [&](List* list, auto records) { WriteList(sink, buffer, &lists, list, records); };
  if (graph != nullptr) {
    write(&lists.references, [=](ListWriter* writer) { graph->WriteReferences(writer); });
    write(&lists.root_references, [=](ListWriter* writer) { graph->WriteRootReferences(writer); });
    write(&lists.types, [=](ListWriter* writer) { graph->WriteTypes(writer); });
    if (contents == ledger::Contents::kPointers) {
      write(&lists.content_words, [=](ListWriter* writer) { graph->WriteContentWords(writer); });
    }
    if (contents == ledger::Contents::kFull) {
      write(&lists.content_bytes, [=](ListWriter* writer) { graph->WriteContentBytes(writer); });
    }
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
  const Picture* picture = content.graph ? ThePicture() : nullptr;
  if (picture == nullptr) {
    lists = Write(sink, buffer, offset, lowest_mark, content.bytes, nullptr);
  } else if (Graph graph(*picture); graph.Prepare()) {
    lists = Write(sink, buffer, offset, 0, content.bytes, &graph);
  }
  Unmap(buffer, kBufferBytes);
  return lists;
}

}  // namespace mallocspy
