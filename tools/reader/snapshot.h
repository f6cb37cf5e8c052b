// What a ledger says, checked and free of file offsets: every index in here is in range, every parent is smaller than
// its child. Plain data; owns everything.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "allocator/ledger/format.h"
#include "spy/heap.h"

namespace mallocspy {

struct SnapshotModule {
  uint64_t start = 0;
  uint64_t end = 0;
  uint64_t bias = 0;
  std::string path;
  std::string build_id;  // raw bytes
  bool executable = false;
  bool self = false;  // libmallocspy.so
  bool unloaded = false;
};

struct SnapshotNode {
  uint64_t site = 0;    // as ledger::Node
  uint32_t parent = 0;  // smaller than this node's own index, but for the root
};

struct SnapshotStack {
  uint32_t node = 0;
  Door door = Door::kNone;
  bool truncated = false;
  uint64_t allocations = 0;
  uint64_t allocated_bytes = 0;
  uint64_t frees = 0;
  uint64_t freed_bytes = 0;
  uint64_t peak_blocks = 0;  // of Snapshot::peak
  uint64_t peak_bytes = 0;

  // Of a live process the counters are of different moments; a free may be seen before its allocation.
  uint64_t live_blocks() const { return allocations > frees ? allocations - frees : 0; }
  uint64_t live_bytes() const { return allocated_bytes > freed_bytes ? allocated_bytes - freed_bytes : 0; }
};

struct SnapshotThread {
  uint32_t tid = 0;
  std::string name;
};

// Calls at one place that took or gave back references.
struct SnapshotReferenceCall {
  uint32_t node = 0;
  uint32_t added = 0;
  uint32_t released = 0;
};

struct SnapshotError {
  ledger::ErrorKind kind = ledger::ErrorKind::kInvalidFree;
  Door block_door = Door::kNone;
  Door used_door = Door::kNone;
  uint64_t address = 0;
  uint64_t size = 0;
  uint64_t value = 0;
  uint32_t where = 0;
  uint32_t allocated = 0;
  uint32_t freed = 0;
  uint32_t tid = 0;
  bool trapped = false;  // met by the instruction that erred
  std::string detail;
  std::vector<SnapshotReferenceCall> references;  // of kUnbalancedReferences
  uint64_t count = 0;
};

struct SnapshotBlock {
  uint64_t address = 0;
  uint64_t size = 0;
  uint32_t stack = 0;
  uint16_t mark = 0;
  Door door = Door::kNone;
  uint8_t flags = 0;  // ledger::BlockFlags
  ledger::Reach reach = ledger::Reach::kUnknown;
  ledger::Shape shape = ledger::Shape::kUnknown;
  uint16_t type = 0;  // index in Snapshot::types; 0 if not known
  uint32_t root = 0;  // of a reachable or possible block; 0 if not known
};

// What holds a pointer to a block and is no block itself.
struct SnapshotRoot {
  ledger::RootKind kind = ledger::RootKind::kNone;
  uint32_t tid = 0;
  uint64_t address = 0;  // of the pointer; 0 if not known
};

// A word of one block that points to another, or into it. Blocks by their index in Snapshot::blocks.
struct SnapshotReference {
  uint32_t from = 0;
  uint32_t to = 0;
  uint32_t word = 0;    // of `from`, from 0; 8 bytes each
  uint32_t offset = 0;  // in `to`, bytes; UINT32_MAX: that or more
};

// Likewise a word of what is no block.
struct SnapshotRootReference {
  uint32_t root = 0;  // index in Snapshot::roots
  uint32_t to = 0;
  uint32_t offset = 0;
};

// A class, by its table of virtual functions.
struct SnapshotType {
  uint32_t module = 0;  // index in Snapshot::modules; 0 if not known
  uint64_t offset = 0;  // of the table's address point, as a frame's: without the module's bias
};

// A word of a block that points to something other than a block.
struct SnapshotContentWord {
  uint32_t block = 0;  // index in Snapshot::blocks
  uint32_t word = 0;   // from 0; 8 bytes each
  uint64_t value = 0;
};

// What was live, by stack, when live bytes were at their highest, or nearly (allocator/ledger/peak_copy.h). Its sum may differ from
// Snapshot::peak_bytes.
struct SnapshotPeak {
  uint64_t blocks = 0;
  uint64_t bytes = 0;
  uint64_t events_bytes = 0;  // allocated and freed until then
  bool is_end = false;        // it is what the snapshot shows as live
};

// A moment that somebody named.
struct SnapshotMark {
  uint64_t number = 0;
  uint64_t began_ns = 0;   // CLOCK_REALTIME
  int64_t live_bytes = 0;  // then
  std::string name;
};

// Blocks that one module made and one freed.
struct SnapshotHandover {
  uint32_t maker = 0;  // index in Snapshot::modules
  uint32_t freer = 0;
  Door made = Door::kNone;
  Door freed = Door::kNone;
  uint64_t blocks = 0;
  uint64_t bytes = 0;
};

struct Snapshot {
  std::string file;  // where it was read from

  ledger::State state = ledger::State::kRunning;
  ledger::End end = ledger::End::kNone;
  int32_t end_value = 0;
  uint32_t end_node = 0;  // what a deadly signal struck; 0 if not known
  ledger::Origin origin = ledger::Origin::kStart;
  uint32_t pid = 0;
  uint32_t parent_pid = 0;
  uint64_t started_ns = 0;
  uint64_t ended_ns = 0;
  std::string exe;
  std::vector<std::string> cmdline;
  std::string exec_path;
  std::string spy;  // that could not be loaded
  std::string options;
  bool interposed = false;
  bool guard = false;
  bool leaks_off = false;    // the program asked not to be checked for leaks at its end
  std::string suppressions;  // that it brings
  uint32_t base_mark = 0;

  uint64_t degraded = 0;  // ledger::Degraded bits
  uint64_t foreign_frees = 0;
  uint64_t inherited_frees = 0;
  uint64_t bypassed = 0;
  uint64_t truncated = 0;
  uint64_t errors_dropped = 0;
  uint64_t unfollowed_forks = 0;
  uint64_t page_guarded = 0;                                  // blocks beside an inaccessible page
  std::array<uint64_t, ledger::kBytesOnlyReasons> bytes_only = {};  // blocks that should have been, by ledger::BytesOnly
  uint64_t mapping_limit = 0;
  uint64_t events_bytes = 0;  // allocated and freed
  uint64_t peak_bytes = 0;
  SnapshotPeak peak;

  std::vector<SnapshotModule> modules;  // [0] stands for "no module"
  std::vector<SnapshotNode> nodes;      // [0] is the root
  std::vector<SnapshotStack> stacks;    // [0] stands for "not known"
  std::vector<SnapshotThread> threads;
  std::vector<SnapshotError> errors;
  std::vector<SnapshotRoot> roots;  // [0] stands for "not known"
  std::vector<SnapshotHandover> handovers;  // with option ownership=1
  ledger::Marking marking = ledger::Marking::kUnknown;
  std::vector<SnapshotMark> marks;  // ascending
  uint64_t marks_dropped = 0;       // the number of the mark that blocks carry as m is m + marks_dropped
  uint64_t next_mark = 0;           // of a picture: the number of the mark that began with it; 0 for none
  std::vector<SnapshotBlock> blocks;
  // Only of a dump, and if has_graph: what points to what.
  bool has_graph = false;
  std::vector<SnapshotReference> references;  // by `from`, ascending, then by `word`
  std::vector<SnapshotRootReference> root_references;
  std::vector<SnapshotType> types;  // [0] stands for "not known"
  ledger::Contents contents = ledger::Contents::kNone;
  std::vector<SnapshotContentWord> content_words;  // with kPointers; by `block`, ascending, then by `word`
  ledger::List content_bytes = {};                 // with kFull: where in the file they are (block_contents.h)
  bool blocks_known = false;     // the process ended in order and wrote its block list whole
  uint64_t damaged_records = 0;  // left out or cut off because they contradict the format
};

}  // namespace mallocspy
