// The lists of a snapshot, behind the ledger's tables: live blocks and, in a picture with the graph, what points to what.
#pragma once

#include <cstdint>

#include "allocator/ledger/format.h"
#include "allocator/snapshot/snapshot_sink.h"

namespace mallocspy {

// What a snapshot has beside the blocks. With the graph: references and types, of which only a picture that was made with it knows
// (picture.h). `bytes`: only with the graph.
struct Content {
  bool graph = false;
  ledger::Contents bytes = ledger::Contents::kNone;
};

struct ListsWritten {
  bool good;  // false: no memory, or the sink failed
  ledger::List blocks;
  ledger::List references;
  ledger::List root_references;
  ledger::List types;
  ledger::List content_words;
  ledger::List content_bytes;
  uint64_t end;  // of the file
};

// Writes them from `offset` on, a page's start: the blocks with that mark or a later one. The graph is of all blocks. While events are frozen.
ListsWritten WriteLists(SnapshotSink* sink, uint64_t offset, uint32_t lowest_mark, Content content);

}  // namespace mallocspy
