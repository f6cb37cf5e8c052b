// What `mallocspy top` shows: the stacks of a running process with what they hold, what they gained since a moment and how fast they
// allocate. Counters only: the process is read, nothing more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tools/reader/snapshot.h"
#include "tools/verdict/frame_namer.h"

namespace mallocspy {

enum class TopSort { kBytes, kBlocks, kGrowth, kRate };
inline constexpr TopSort kTopSorts[] = {TopSort::kBytes, TopSort::kBlocks, TopSort::kGrowth, TopSort::kRate};
absl::string_view NameOf(TopSort sort);  // "bytes", ...
// The error is a sentence.
absl::StatusOr<TopSort> ParseTopSort(absl::string_view word);

struct TopRow {
  uint32_t stack = 0;  // index in the snapshot
  Door door = Door::kNone;
  uint64_t live_bytes = 0;
  uint64_t live_blocks = 0;
  uint64_t allocations = 0;
  uint64_t allocated_bytes = 0;
  uint64_t frees = 0;
  int64_t grown_bytes = 0;               // since the baseline; without one, since the first reading
  double allocations_per_second = 0;     // between the last two readings
};

struct TopTotals {
  uint64_t live_bytes = 0;
  uint64_t live_blocks = 0;
  uint64_t peak_bytes = 0;
  uint64_t allocations = 0;
  uint64_t allocated_bytes = 0;
  uint64_t frees = 0;
  uint64_t foreign_frees = 0;
  int64_t grown_bytes = 0;
  std::optional<double> allocations_per_second;  // from the second reading on
  std::optional<double> frees_per_second;
};

class TopView {
 public:
  // A new reading, taken at `when`.
  void Add(Snapshot snapshot, absl::Time when);
  // What is counted as growth begins now.
  void SetBaseline();

  const Snapshot& snapshot() const { return now_; }
  absl::Time when() const { return when_; }
  absl::Time baseline_time() const { return baseline_time_; }
  const TopTotals& totals() const { return totals_; }

  // The stacks that ever allocated, first those that `sort` is about. With a filter only those in which a function's or module's name contains it;
  // finding that out takes time with many stacks, once.
  std::vector<TopRow> Rows(TopSort sort, const std::string& filter);
  const std::vector<Frame>& FramesOf(uint32_t stack);
  // In a line: the innermost function that is the program's own rather than a door of libc or of C++, and who called it.
  std::string Label(uint32_t stack);

 private:
  bool Passes(uint32_t stack, const std::string& filter);

  struct Reading {
    std::vector<uint64_t> allocations;  // by stack
    std::vector<int64_t> live_bytes;
    uint64_t frees = 0;
    absl::Time when;
  };
  static Reading ReadingOf(const Snapshot& snapshot, absl::Time when);

  Snapshot now_;
  absl::Time when_;
  TopTotals totals_;
  Reading last_;
  std::vector<int64_t> baseline_;  // live bytes by stack
  absl::Time baseline_time_;
  double seconds_ = 0;  // between the last two readings; 0 with one
  FrameNamer namer_{false};
  std::vector<std::vector<Frame>> frames_;  // by stack, once named
  std::vector<bool> named_;
};

}  // namespace mallocspy
