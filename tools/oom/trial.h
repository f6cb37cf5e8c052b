// One failed allocation and what became of the program: what `oom` finds out. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

// In the order of how good it is.
enum class Outcome {
  kUnreached,  // the allocation was not made this time
  kHandled,
  kLeaked,
  kMisused,
  kHung,
  kCrashed,
};
inline constexpr Outcome kLastOutcome = Outcome::kCrashed;

absl::string_view NameOf(Outcome outcome);  // "handled", ...
std::optional<Outcome> OutcomeNamed(absl::string_view name);

// The call stack whose first allocation fails.
struct FailingStack {
  std::string id;      // of the fault spy: 16 hexadecimal digits, the same in each run
  uint64_t bytes = 0;  // that are asked for
  std::string door;    // "malloc"; empty if not known
  std::vector<Frame> frames;
};
bool IsStackId(absl::string_view text);

// A heap error or a leak.
struct Problem {
  std::string headline;
  std::vector<Frame> frames;
};

// How one run went.
struct RunResult {
  int exit_code = 0;
  int signal = 0;  // that killed it; 0: it ended by itself
  bool hung = false;  // its time was over
  std::vector<Frame> struck = {};  // where the signal did, if that is known
  uint64_t live_blocks = 0;
  uint64_t live_bytes = 0;
  uint64_t lost_blocks = 0;
  uint64_t lost_bytes = 0;
  std::vector<Problem> errors = {};
  std::vector<Problem> leaks = {};  // of lost blocks
  bool seen = true;  // its record was there, whole
};

struct Trial {
  FailingStack failed;
  Outcome outcome = Outcome::kUnreached;
  RunResult result;  // with the errors and leaks only that the first run did not have
};

// All that was found out about one program.
struct Campaign {
  std::string program;                 // path
  std::vector<std::string> arguments;  // the first is the program's name
  RunResult baseline;                  // without a failure
  uint64_t stacks = 0;                 // that allocate
  uint64_t chosen = 0;                 // of them, by --within
  std::vector<Trial> trials;
  std::vector<std::string> notes;  // why something is missing; sentences without a final stop
};

// The run behind a record.
RunResult ResultOf(const Findings& findings, bool hung);

// What to make of a run in which `reached` says whether the failure happened. Takes from `result` what the baseline had, too.
Outcome Judge(const RunResult& baseline, bool reached, RunResult* result);

}  // namespace mallocspy
