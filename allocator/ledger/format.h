// The ledger's format: the one layout of the record, whether it lives in a running process, was left by a dead one
// or is a file (*.mspy). Everything is an offset or an index; no pointer leaves the process.
//
//   offset 0                                                                   used_bytes
//   +--------+---------+---------+---------+-----+---------+-----+-----------+---------+
//   | Header | nodes 0 | stacks 0| strings0| ... | nodes 1 | ... | strings 2 | lists   |
//   +--------+---------+---------+---------+-----+---------+-----+-----------+---------+
//            '--- extents: page-aligned, in the order in which they were needed ---'   '-- of a finished end or a picture
//
// The lists are the live blocks and, in a picture that was asked to have them, what points to what, each page-aligned.
//
// A table is a list of extents that double: extent 0 holds `first_records` records, extent k > 0 as many as all
// before it. So an index finds its extent by its highest bit and nothing ever moves.
//
// A running process appends; a record is complete before the table's count covers it. Counters are monotonic and
// written with relaxed atomics, so a reader of a live or killed process sees each counter whole, if not all of one
// moment. After `state` is kEnded everything is of one moment.
//
// All numbers are little-endian (the only supported targets are). Readers must not trust anything: see
// tools/reader for the checked way in.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "spy/heap.h"

namespace mallocspy::ledger {

inline constexpr uint64_t kMagic = 0x0a1a0a0d7970736d;  // "mspy\r\n\x1a\n": breaks when copied as text
inline constexpr uint32_t kVersion = 8;
inline constexpr uint64_t kPageBytes = 4096;

// A live ledger without a file name is a memfd of this one: "/memfd:mallocspy-ledger (deleted)" in /proc/PID/maps and, as a link, in /proc/PID/fd.
inline constexpr char kAnonymousName[] = "mallocspy-ledger";

// Extents per table: enough for 2^31 records at any first extent.
inline constexpr uint32_t kMaxExtents = 32;

// The tables of a ledger, in the order of Header::tables.
enum class TableId : uint32_t { kNodes, kStacks, kModules, kThreads, kStrings, kErrors, kCounters, kRoots, kHandovers, kReferenceCalls, kMarks, kCount };

// A reference to `length` bytes of the string table, not terminated. Length 0 means "none". A string never crosses
// an extent.
struct StringRef {
  uint32_t offset;
  uint32_t length;
};
static_assert(sizeof(StringRef) == 8);

// One frame under its caller. Node 0 is the root and stands for the empty stack; parents are nearer to main.
struct Node {
  uint64_t site;    // module index in the top 16 bits, below it the return address minus the module's bias;
                    // module 0: code of no module, the plain return address
  uint32_t parent;  // node index of the caller
  uint32_t stack;   // first stack (allocating context) that ends here, 0 for none
};
static_assert(sizeof(Node) == 16);

inline constexpr int kSiteModuleShift = 48;
inline constexpr uint64_t kSiteOffsetMask = (uint64_t{1} << kSiteModuleShift) - 1;

// Events of one stack. Each grows only.
struct Counters {
  std::atomic<uint64_t> allocations;
  std::atomic<uint64_t> allocated_bytes;
  std::atomic<uint64_t> frees;
  std::atomic<uint64_t> freed_bytes;
};
static_assert(sizeof(Counters) == 32);

// The counters of consecutive stacks as one thread counts them: only that thread writes, so it needs no atomic operation and shares no
// cache line with another. A stack's counters are the sum of its shared ones and of all that threads have of it.
inline constexpr uint32_t kStacksPerBank = 32;
struct CounterBank {
  alignas(64) uint32_t index;  // of this bank
  uint32_t first_stack;        // a multiple of kStacksPerBank
  alignas(64) Counters counters[kStacksPerBank];
};
static_assert(sizeof(CounterBank) == 64 + 32 * kStacksPerBank);

// What was live of a stack at a peak. Modulo 2^64, as of counters of different moments frees may be ahead.
struct PeakCounters {
  uint64_t live_blocks;
  uint64_t live_bytes;
};
static_assert(sizeof(PeakCounters) == 16);

// A stack that allocated through one door. Stack 0 stands for "not known" (a block whose header was destroyed, a record that could not
// grow) and is counted like the others.
struct Stack {
  uint32_t node;   // innermost frame; our own frames were cut
  uint8_t door;    // Door
  uint8_t flags;   // StackFlags
  uint16_t depth;  // frames recorded
  uint32_t next;   // the next stack that ends at the same node (another door or flags), 0 for none
  uint32_t reserved;
  Counters shared;  // what was counted on no thread's behalf, or found no room for a bank
  PeakCounters peaks[2];
};
static_assert(sizeof(Stack) == 80);

enum StackFlags : uint8_t {
  kStackTruncated = 1,  // frames nearer to main are missing
};

// Which of the two copies of a peak is whole.
enum PeakSide : uint32_t { kNoPeak = 0, kFirstPeak = 1, kSecondPeak = 2 };

// A copy of what was live; by stack, in Stack::peaks.
struct Peak {
  int64_t bytes;          // Header::peak_bytes then
  uint64_t events_bytes;  // allocated and freed until then
  uint32_t stacks;        // those from 0 on that are in the copy
  uint32_t reserved;
};
static_assert(sizeof(Peak) == 24);

// A loaded object. Kept after it was unloaded, so that its frames keep their names. Module 0 is not used.
struct Module {
  uint64_t start;  // lowest mapped address of its segments
  uint64_t end;    // one past the highest
  uint64_t bias;   // what the loader added to the file's addresses
  StringRef path;
  uint32_t loaded;    // ledger epoch of its first sight
  uint32_t unloaded;  // ledger epoch of its unloading, 0 while loaded
  uint32_t flags;     // ModuleFlags
  uint32_t build_id_bytes;
  uint8_t build_id[32];
};
static_assert(sizeof(Module) == 80);

enum ModuleFlags : uint32_t {
  kModuleExecutable = 1,  // the main program
  kModuleSelf = 2,        // libmallocspy itself
};

struct Thread {
  uint32_t tid;
  uint32_t state;  // 0 free slot, 1 alive, 2 ended
  char name[16];   // as the kernel has it, NUL-terminated
  uint64_t started_ns;  // CLOCK_REALTIME of its first event
  // Live bytes that it has not yet added to the header's, and the most that they were since it last did. Written by this thread only.
  std::atomic<int64_t> live_bytes;
  std::atomic<int64_t> peak_bytes;
  uint64_t reserved[2];  // a cache line of its own
};
static_assert(sizeof(Thread) == 64);

// What went wrong. The numbers are part of the format.
enum class ErrorKind : uint32_t {
  kDoubleFree = 1,
  kInvalidFree = 2,
  kMismatchedFree = 3,
  kHeapOverflow = 4,
  kHeapUnderflow = 5,
  kUseAfterFreeWrite = 6,
  kSizedDeleteMismatch = 7,
  kBadAlignment = 8,
  kSpyContract = 9,
  kUseAfterFreeRead = 10,
  kHeapOverflowRead = 11,
  kHeapUnderflowRead = 12,
  kInjectedFailure = 13,       // no error of the program's: an allocation that was made to fail
  kUnbalancedReferences = 14,  // an object whose references were not all released
};
inline constexpr ErrorKind kLastErrorKind = ErrorKind::kUnbalancedReferences;

// As reports say it.
inline const char* NameOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kDoubleFree:
      return "double-free";
    case ErrorKind::kInvalidFree:
      return "invalid-free";
    case ErrorKind::kMismatchedFree:
      return "mismatched-free";
    case ErrorKind::kHeapOverflow:
      return "heap-overflow";
    case ErrorKind::kHeapUnderflow:
      return "heap-underflow";
    case ErrorKind::kUseAfterFreeWrite:
      return "use-after-free-write";
    case ErrorKind::kSizedDeleteMismatch:
      return "sized-delete-mismatch";
    case ErrorKind::kBadAlignment:
      return "bad-alignment";
    case ErrorKind::kSpyContract:
      return "spy-contract";
    case ErrorKind::kUseAfterFreeRead:
      return "use-after-free-read";
    case ErrorKind::kHeapOverflowRead:
      return "heap-overflow-read";
    case ErrorKind::kHeapUnderflowRead:
      return "heap-underflow-read";
    case ErrorKind::kInjectedFailure:
      return "injected-failure";
    case ErrorKind::kUnbalancedReferences:
      return "unbalanced-references";
  }
  return "unknown";
}

// Bits of Error::flags.
inline constexpr uint16_t kErrorBySweep = 1;  // of a block that is still there (heap_sweep.h)
inline constexpr uint16_t kErrorTrapped = 2;  // met by the instruction that erred: `where` is its place

// One kind of error at one place; repeated ones only add to `count`.
struct Error {
  uint32_t kind;       // ErrorKind
  uint8_t block_door;  // Door that made the block, kNone if not known
  uint8_t used_door;   // Door of the call that met the error, kNone at exit
  uint16_t flags;
  uint64_t address;    // of the (first) block, as the program sees it
  uint64_t size;       // of the block, bytes; see kind for others
  uint64_t value;      // kSizedDeleteMismatch: the size given; kBadAlignment: the alignment given;
                       // kHeapOverflow: offset of the first changed byte from the block's start;
                       // kUseAfterFreeWrite: likewise, as a signed number: in the header it is negative;
                       // kErrorTrapped: likewise, of the byte that was read or written;
                       // kInvalidFree: offset into the block around it, where size is not 0;
                       // kUnbalancedReferences: references that are left; with `where`: as the object counts them
  uint32_t where;      // node where it was met, 0 at exit
  uint32_t allocated;  // node where the block was made, 0 if not known
  uint32_t freed;      // node where it was freed, 0 if not known
  uint32_t tid;
  StringRef detail;    // kSpyContract: the method and what it did; kUnbalancedReferences: the class
  std::atomic<uint64_t> count;
};
static_assert(sizeof(Error) == 64);

// What still leads to a live block.
enum class Reach : uint8_t {
  kUnknown = 0,
  kDefinite = 1,   // nothing
  kIndirect = 2,   // only blocks to which nothing leads
  kPossible = 3,   // pointers to its inside only
  kReachable = 4,  // a pointer to its start
};

// What kind of memory holds a pointer to a block, and is no block itself.
enum class RootKind : uint32_t {
  kNone = 0,
  kGlobal = 1,       // data of a module
  kStack = 2,        // of thread `tid`
  kRegisters = 3,    // of thread `tid`
  kThreadLocal = 4,  // of thread `tid`: its control block and thread-local variables
  kMapping = 5,      // some other mapping
  kUnrecorded = 6,   // a block that was given out without a record
  kUnanswered = 7,   // no memory: thread `tid` did not stop when it was asked to, so its registers are not known
  kIgnored = 8,      // a block that the program said is no leak, or memory that it registered
};

struct Root {
  uint64_t address;  // of the word that holds the pointer; 0 if only the kind is known
  uint32_t tid;      // 0 for what is no thread's
  RootKind kind;
};
static_assert(sizeof(Root) == 16);

// Blocks that one module made and one freed. Module 0: not known.
struct Handover {
  uint16_t maker;  // Module whose code called the door that made them
  uint16_t freer;
  uint8_t made;   // Door
  uint8_t freed;  // Door
  uint8_t reserved[2];
  std::atomic<uint64_t> blocks;
  std::atomic<uint64_t> bytes;  // requested
};
static_assert(sizeof(Handover) == 24);

// Calls at one place that took or gave back references to objects of a kUnbalancedReferences.
struct ReferenceCall {
  uint32_t error;  // its index
  uint32_t node;
  uint32_t added;
  uint32_t released;
};
static_assert(sizeof(ReferenceCall) == 16);

// A numbered moment (allocator/marks.h), of those that somebody named.
struct Mark {
  uint64_t number;
  uint64_t began_ns;   // CLOCK_REALTIME
  int64_t live_bytes;  // when it began, as Header::live_bytes
  StringRef name;
};
static_assert(sizeof(Mark) == 32);

// How far the blocks' classes can be believed.
enum class Marking : uint32_t { kUnknown = 0, kComplete = 1, kPartial = 2 };

// What a live block seems to be, by what it holds and by what points to it. All but kObject are guesses.
enum class Shape : uint8_t {
  kUnknown = 0,
  kObject = 1,       // begins with a pointer to a table of virtual functions
  kString = 2,       // characters of a std::string
  kVector = 3,       // elements of a std::vector, or of what holds begin, end and end of storage likewise
  kListNode = 4,     // of a std::list
  kTreeNode = 5,     // of a std::map, std::set or one of their kin
  kHashNode = 6,     // of a std::unordered_map, std::unordered_set or one of their kin
  kHashBuckets = 7,  // of one of those
  kDequeChunk = 8,   // elements of a std::deque
  kDequeMap = 9,     // its pointers to those
};
inline constexpr Shape kLastShape = Shape::kDequeMap;

// A live block, in the block list of a finished ledger (after the extents, at Header::blocks_offset).
struct Block {
  uint64_t address;  // as the program sees it
  uint64_t size;     // requested bytes
  uint32_t stack;    // index of Stack; 0 if the header was destroyed
  uint16_t mark;
  uint8_t door;   // Door
  uint8_t flags;  // BlockFlags
  uint32_t holder;  // of a reachable or possible block: index of Root, 0 if not known
  Reach reach;
  Shape shape;
  uint16_t type;  // of Shape::kObject: number of a Type from 1 on; 0 if not known, or with very many
};
static_assert(sizeof(Block) == 32);

// Lists of a picture with the graph. Blocks are named by their place in the block list.

// A word of block `from` that holds the address of block `to` or of a byte in it. Ordered by `from`, then by word.
struct Reference {
  uint32_t from;
  uint32_t to;
  uint32_t word;    // of `from`, from 0; 8 bytes each
  uint32_t offset;  // in `to`, bytes; UINT32_MAX: that or more
};
static_assert(sizeof(Reference) == 16);

// Likewise a word of what is no block. Its kind is never kUnanswered.
struct RootReference {
  uint64_t address;  // of the word; 0 where only the kind is known
  uint32_t tid;
  RootKind kind;
  uint32_t to;
  uint32_t offset;
};
static_assert(sizeof(RootReference) == 24);

// A class, by its table of virtual functions.
struct Type {
  uint64_t site;  // as Node::site, of the table's address point (Itanium C++ ABI, 2.5.2): what objects of it begin with
};
static_assert(sizeof(Type) == 8);

// What a dump has of the blocks' own bytes. Heaps hold secrets.
enum class Contents : uint32_t {
  kNone = 0,
  kPointers = 1,  // words that point to something other than blocks, which the references tell: functions, variables, stacks, mappings
  kFull = 2,
};

// By block, then by word, ascending.
struct ContentWord {
  uint32_t block;
  uint32_t word;  // from 0; 8 bytes each
  uint64_t value;
};
static_assert(sizeof(ContentWord) == 16);

struct List {
  uint64_t offset;  // in the file; 0 for none
  uint64_t count;
};
static_assert(sizeof(List) == 16);

enum BlockFlags : uint8_t {
  kBlockHeaderDestroyed = 1,  // size, stack, mark and door are not known
  kBlockGuardDestroyed = 2,
  kBlockIgnored = 4,  // the program said that it is no leak
  kBlockCache = 8,    // libc or libstdc++ would free it if they were asked to clean up
};

// How another process asks this one for something: it fills the slot in the shared ledger, then sends the signal, and again every few
// milliseconds as long as nobody took the request. One request at a time.
struct RequestSlot {
  enum State : uint32_t {
    kIdle = 0,
    kFilling = 1,  // `asker` fills it, or takes what came of it
    kAsked = 2,
    kTaken = 3,
    kDone = 4,  // `error` and what belongs to the kind are there
  };
  enum Kind : uint32_t {
    kMark = 1,  // begins a mark by the name of `name`; `number`: its number
    kDump = 2,  // writes a picture into a pipe whose end to be read is descriptor `fd` of process `copy`; begins a mark, too
  };
  // What the signal carries, in its si_int: what else comes by it is not ours.
  static constexpr int kCookie = 0x7970736d;

  std::atomic<uint32_t> state;   // a futex, shared
  std::atomic<uint32_t> asker;   // process id; who finds that it is gone may take its place
  std::atomic<uint32_t> signal;  // 0: this process takes no requests
  uint32_t kind;
  std::atomic<uint32_t> error;  // errno value; 0: done
  std::atomic<uint32_t> copy;   // process id; 0 until the process itself goes on
  uint32_t fd;
  std::atomic<uint32_t> pause_us;  // for which the program stood still; 0 until it goes on
  uint32_t unanswered;             // threads that were not held
  uint32_t graph;                  // of kDump: 1 with the graph
  Contents contents;               // of kDump, with the graph
  uint64_t number;
  char name[64];  // NUL-terminated, cut off
};
static_assert(sizeof(RequestSlot) == 120);

// A picture in a pipe comes in pieces: these, each followed by its bytes of the file, in any order. The last has none, and tells the
// file's length as its offset.
struct StreamPiece {
  uint64_t offset;
  uint64_t bytes;
};
static_assert(sizeof(StreamPiece) == 16);

struct Table {
  std::atomic<uint64_t> count;  // complete records (bytes in the string table) with record 0; 0: no extent yet
  uint32_t record_bytes;
  uint32_t first_records;  // capacity of extent 0, a power of two
  uint64_t extents[kMaxExtents];  // file offsets, 0 for none
};
static_assert(sizeof(Table) == 16 + 8 * kMaxExtents);

// Where the process stands.
enum class State : uint32_t {
  kRunning = 1,
  kEnding = 2,  // the block list is being written
  kEnded = 3,   // complete
};

// What brought the process to its end, as the process itself saw it. A ledger of a killed process says kNone.
enum class End : uint32_t {
  kNone = 0,
  kExit = 1,    // `end_value`: exit status
  kSignal = 2,  // `end_value`: signal number
  kExec = 3,    // `exec_path` was about to replace the program
  kPicture = 4,  // none: this is a picture of a running process
};

// Why the record is not all that it should be; shown in reports as `degraded`. Bits of Header::degraded.
enum Degraded : uint64_t {
  kNotInterposed = 1,       // the program's own malloc comes first
  kLedgerPrivate = 2,       // the ledger could not be (or stay) shared: nothing is left of it after SIGKILL
  kLedgerFull = 4,          // memory for the ledger ran out: some stacks are not recorded
  kThreadsRunning = 8,      // at the end some threads did not pause: counters may be of different moments
  kTooManyErrors = 16,      // not every error was recorded, see Header::errors_dropped
  kNoUnwinder = 32,         // libunwind could not be loaded: stacks have one frame
  kDeepbindStripped = 64,   // a dlopen asked for RTLD_DEEPBIND, which would bypass the doors; it was stripped
  kBlocksUnwritten = 128,   // the block list could not be written whole
  kModulesLost = 256,       // more modules than the format can number
  kMarksExhausted = 512,    // more marks (or generations of forks) than 16 bits can number
  kSpyNotLoaded = 1024,     // a --spy library was not loaded to the end; the program was not started
};

// Why a block that page_guard chose has no inaccessible page beside it.
enum class BytesOnly : uint32_t {
  kMappings = 0,  // the process may not have more mappings
  kSize = 1,      // it is too large, or aligned to more than a page
  kRoom = 2,      // all places for blocks of its size are in use, or the kernel gave no memory or address space
};
inline constexpr uint32_t kBytesOnlyReasons = 3;

// How this ledger began.
enum class Origin : uint32_t { kStart = 0, kFork = 1 };

struct Header {
  uint64_t magic;
  uint32_t version;
  uint32_t header_bytes;             // sizeof(Header)
  std::atomic<uint64_t> used_bytes;  // of the file, extents and blocks; what lies behind is not ours
  std::atomic<State> state;
  std::atomic<End> end;
  std::atomic<int32_t> end_value;
  Origin origin;
  uint32_t pid;
  uint32_t parent_pid;
  uint64_t started_ns;  // CLOCK_REALTIME at the start of the program or at the fork
  uint64_t ended_ns;    // CLOCK_REALTIME, 0 while running
  StringRef exe;        // path of the program
  StringRef cmdline;    // NUL after each argument
  StringRef exec_path;  // with End::kExec
  StringRef options;    // MALLOCSPY_OPTIONS as it was read
  uint32_t interposed;  // 1: malloc of the process is ours
  uint32_t base_mark;   // blocks with a lower mark were inherited over fork
  uint32_t guard;       // 1: blocks carry a rear guard
  uint32_t leaks_off;   // 1: the program asked not to be checked for leaks at its end
  std::atomic<uint64_t> degraded;  // Degraded bits
  std::atomic<uint64_t> foreign_frees;    // of pointers that are not ours, passed on
  std::atomic<uint64_t> inherited_frees;  // of blocks made before the fork
  std::atomic<uint64_t> bypassed;         // allocations made inside the recorder itself (signal handlers, unwinder)
  std::atomic<uint64_t> truncated;        // allocations whose stack lacks its outer end
  std::atomic<uint64_t> errors_dropped;
  std::atomic<uint64_t> unfollowed_forks;  // forked children that could not make their own ledger
  uint64_t blocks_offset;                  // file offset of Block[blocks_count], 0 for none
  uint64_t blocks_count;
  // Without what threads have not yet added (Thread::live_bytes): exact at the end, and always with one thread.
  alignas(64) std::atomic<int64_t> live_bytes;
  std::atomic<int64_t> peak_bytes;  // the most that live_bytes ever was
  alignas(64) Table tables[static_cast<size_t>(TableId::kCount)];
  StringRef spy;  // with kSpyNotLoaded: LIB.so[:ARGS] of that spy
  StringRef suppressions;  // that the program brings, as LeakSanitizer reads them
  Marking reachability;
  std::atomic<uint32_t> end_node;  // with End::kSignal: what the signal struck, 0 if not known
  std::atomic<uint64_t> page_guarded;                   // blocks beside an inaccessible page (option page_guard)
  std::atomic<uint64_t> bytes_only[kBytesOnlyReasons];  // blocks that should have been, by BytesOnly
  uint64_t mapping_limit;                               // vm.max_map_count, with page_guard
  uint64_t marks_dropped;  // the number of the mark that blocks carry as m is m + marks_dropped
  uint64_t next_mark;      // of a picture: the number of the mark that began with it; 0 for none
  List references;       // Reference
  List root_references;  // RootReference
  List types;            // Type; the first has number 1
  uint32_t has_graph;    // 1: those lists are whole
  Contents contents;
  List content_words;    // ContentWord, with Contents::kPointers
  List content_bytes;    // with Contents::kFull: blocks' bytes in the order of the block list, each block's from a multiple of 8 on
  std::atomic<PeakSide> peak_side;
  std::atomic<uint32_t> peak_turn;  // 1: a thread copies
  Peak peaks[2];
  RequestSlot request;
};
static_assert(sizeof(Header) <= kPageBytes);
static_assert(std::atomic<uint64_t>::is_always_lock_free);

}  // namespace mallocspy::ledger
