// What is found out about one process, ready to be written in any format: names in place of nodes, sentences in place
// of bits. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "spy/heap.h"

namespace mallocspy {

// One function of a stack. Inlined ones share the address of the function that they were inlined into, which follows.
struct Frame {
  uint64_t address = 0;  // return address in the process
  uint64_t offset = 0;   // the same in the module's own terms (ELF virtual address)
  std::string module;    // path; empty: code of no module
  std::string build_id;  // lower-case hex; empty if it has none
  std::string function;  // empty if not known
  std::string symbol;    // the same as the linker knows it; empty if not known, or of C
  std::string file;      // empty if not known
  int line = 0;          // 0 if not known
  int column = 0;        // likewise
  bool inlined = false;
};

enum class LeakClass { kDefinite, kIndirect, kPossible, kReachable, kUnknown };

// What holds a pointer to a block that is no leak.
struct LeakRoot {
  std::string kind;    // "global", "stack", "registers", "thread-local", "mapping", "unrecorded block", "ignored"
  std::string name;    // of the variable or the thread; empty if not known
  std::string module;  // of a variable
  uint32_t tid = 0;    // 0 for what is no thread's
  uint64_t address = 0;  // of the pointer; 0 if not known
};

// How a leak stands to the leaks of a baseline with the same id that are at least as bad.
struct BaselineMatch {
  enum class State { kNew, kGrown, kKnown };
  State state = State::kNew;
  uint64_t blocks = 0;  // of those
  uint64_t bytes = 0;
};

// Live blocks of one stack, door and class.
struct Leak {
  std::string id;  // see leak_id.h
  LeakClass leak_class = LeakClass::kUnknown;
  uint64_t blocks = 0;
  uint64_t bytes = 0;
  std::optional<uint32_t> mark;  // of the oldest block; not known of a process that did not come to its end
  Door door = Door::kNone;
  bool truncated = false;  // outer frames are missing
  std::optional<LeakRoot> root;  // of a reachable or possible one: of the first block that has one
  std::vector<Frame> frames;
  std::string suppressed_by;              // name of the suppression that accepts it; empty if none does
  std::string suppressed_because;         // its reason; empty if it gives none
  std::optional<BaselineMatch> baseline;  // only if there is a baseline

  bool accepted() const {
    return !suppressed_by.empty() || (baseline.has_value() && baseline->state == BaselineMatch::State::kKnown);
  }
};

// Leak::suppressed_by of what the libraries of C and C++ keep for themselves.
inline constexpr char kCachesSuppression[] = "caches";

struct BlockTotal {
  uint64_t blocks = 0;
  uint64_t bytes = 0;
};

// What became of one suppression, over all processes of a report.
struct SuppressionUse {
  enum class State { kUsed, kUnused, kExpired, kExceeded };
  State state = State::kUnused;
  std::string name;
  std::string file;
  int line = 0;
  std::string reason;   // empty if none is given
  uint64_t blocks = 0;  // of all leaks that it matched, suppressed or not
  uint64_t bytes = 0;
};

// Leaks compared with a baseline, counted by id over all processes of a report.
struct BaselineSummary {
  std::string file;
  uint64_t fresh = 0;
  uint64_t grown = 0;
  uint64_t known = 0;
  uint64_t gone = 0;
};

// Calls at one place that took or gave back references to an object.
struct ReferenceCall {
  uint64_t added = 0;
  uint64_t released = 0;
  std::vector<Frame> frames;
};

struct HeapError {
  std::string kind;  // "double-free", ...
  uint64_t address = 0;
  uint64_t size = 0;
  uint64_t value = 0;  // see ledger::Error
  Door block_door = Door::kNone;
  Door used_door = Door::kNone;
  uint32_t tid = 0;
  bool trapped = false;  // met by the instruction that erred
  std::string thread_name;
  std::string detail;
  uint64_t count = 1;
  std::vector<Frame> where;
  std::vector<Frame> allocated;
  std::vector<Frame> freed;
  std::vector<ReferenceCall> references;  // of "unbalanced-references", those first that took most and gave back least
};

// Blocks that one module made and one freed.
struct Handover {
  std::string maker;  // path of the module whose code called the door; empty if not known
  std::string freer;
  Door made = Door::kNone;
  Door freed = Door::kNone;
  uint64_t blocks = 0;
  uint64_t bytes = 0;
};

// How a process ended, as far as that is known.
struct ProcessExit {
  enum class Kind { kUnknown, kRunning, kCode, kSignal, kExec };
  Kind kind = Kind::kUnknown;
  int value = 0;        // status or signal number
  std::string program;  // kExec: what replaced this one
};

struct Process {
  uint32_t pid = 0;
  uint64_t started_ns = 0;  // CLOCK_REALTIME; with the pid it names one image of a process
  uint64_t ended_ns = 0;    // likewise; 0 if not known
  std::string exe;
  std::vector<std::string> cmdline;
  ProcessExit exit;
  std::vector<Frame> crash;  // where a deadly signal struck, if that is known
  bool interposed = false;
  std::vector<std::string> degraded;  // sentences without a final stop
  std::string suppressions;           // that the program brings, in LeakSanitizer's form; usually empty
  std::vector<std::string> own_libraries;  // see own_program.h
};

struct Totals {
  uint64_t allocations = 0;
  uint64_t allocated_bytes = 0;
  uint64_t frees = 0;
  uint64_t live_blocks = 0;  // without those inherited over fork, like everything here
  uint64_t live_bytes = 0;
  uint64_t peak_bytes = 0;
  uint64_t foreign_frees = 0;
  // The rest is for the receipt.
  uint64_t stacks = 0;
  uint64_t truncated = 0;
  uint64_t inherited_frees = 0;
  uint64_t bypassed = 0;
  uint64_t errors_dropped = 0;
};

// Whether the classes of blocks are known.
enum class Reachability { kUnknown, kComplete, kPartial };

enum class Status { kClean, kLeaks, kErrors, kIncomplete };

struct Verdict {
  Status status = Status::kClean;
  Reachability reachability = Reachability::kUnknown;
  bool unchecked = false;    // part of the check did not run: whatever was found, there may be more
  bool not_started = false;  // the library ended the process before the program began
  bool unseen = false;       // it, or one that it started, was not recorded: nobody knows what else ran
  bool judged = true;        // whether what was found in it counts; see judged_programs.h
  bool interrupted = false;  // the process had not come to its end: no block list, guards not looked at
};

struct Findings {
  Process process;
  Totals totals;
  Verdict verdict;
  std::vector<Leak> leaks;   // largest first; at most as many as were asked for
  uint64_t leak_groups = 0;  // of all of them, shown or not
  uint64_t leak_blocks = 0;
  uint64_t leak_bytes = 0;
  BlockTotal by_class[5];  // by LeakClass; of all of them

  BlockTotal& Of(LeakClass leak_class) { return by_class[static_cast<size_t>(leak_class)]; }
  const BlockTotal& Of(LeakClass leak_class) const { return by_class[static_cast<size_t>(leak_class)]; }
  // Blocks that nothing is known to hold: all but the reachable ones.
  BlockTotal Lost() const;
  // Exec put another program in its place, before its end: what it held is no leak.
  bool replaced() const { return process.exit.kind == ProcessExit::Kind::kExec; }

  // Leaks that a suppression or the baseline accepts: part of the totals, but of nothing above and of no verdict.
  std::vector<Leak> accepted;      // at most as many as were asked for
  uint64_t accepted_groups = 0;    // of all of them
  uint64_t suppressed_leaks = 0;   // of those, without what is still reachable
  uint64_t known_leaks = 0;        // likewise
  std::optional<BaselineSummary> baseline;   // of the whole report
  std::vector<SuppressionUse> suppressions;  // only of the first process: the user's, and built-in ones that matched

  std::vector<HeapError> errors;
  std::vector<HeapError> injected;  // no errors: allocations that a spy made fail, in the order of the first of each stack
  std::vector<Handover> ownership;  // most bytes first; empty unless it was recorded (option ownership)
  std::vector<Findings> children;  // only of the top level
};

// The processes of several reports in a row: each report's own, then its children.
std::vector<const Findings*> EveryProcess(const std::vector<Findings>& reports);
std::vector<Findings*> EveryProcess(std::vector<Findings>* reports);

absl::string_view NameOf(LeakClass leak_class);  // "definite", ...
absl::string_view NameOf(Reachability reachability);  // "complete", ...
absl::string_view NameOf(BaselineMatch::State state);   // "new", ...
absl::string_view NameOf(SuppressionUse::State state);  // "used", ...
absl::string_view NameOf(Status status);         // "clean", ...
absl::string_view NameOf(Door door);             // "malloc", "new[]", ...; empty for kNone

}  // namespace mallocspy
