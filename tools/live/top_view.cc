#include "tools/live/top_view.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/verdict/stack_line.h"
#include "tools/wording/base_name.h"
#include "tools/wording/nearest.h"

namespace mallocspy {
namespace {

int64_t Live(const SnapshotStack& stack) {
  return static_cast<int64_t>(stack.allocated_bytes) - static_cast<int64_t>(stack.freed_bytes);
}

}  // namespace

absl::string_view NameOf(TopSort sort) {
  switch (sort) {
    case TopSort::kBytes:
      return "bytes";
    case TopSort::kBlocks:
      return "blocks";
    case TopSort::kGrowth:
      return "growth";
    case TopSort::kRate:
      return "rate";
  }
  return "";
}

absl::StatusOr<TopSort> ParseTopSort(absl::string_view word) {
  std::vector<std::string> names;
  for (const TopSort sort : kTopSorts) {
    if (word == NameOf(sort)) return sort;
    names.emplace_back(NameOf(sort));
  }
  return absl::InvalidArgumentError(NotAmong("--sort", word, names));
}

TopView::Reading TopView::ReadingOf(const Snapshot& snapshot, absl::Time when) {
  Reading reading;
  reading.when = when;
  for (const SnapshotStack& stack : snapshot.stacks) {
    reading.allocations.push_back(stack.allocations);
    reading.live_bytes.push_back(Live(stack));
    reading.frees += stack.frees;
  }
  return reading;
}

void TopView::Add(Snapshot snapshot, absl::Time when) {
  const bool first = now_.stacks.empty();
  if (!first) last_ = ReadingOf(now_, when_);
  now_ = std::move(snapshot);
  when_ = when;
  if (first) {
    last_ = ReadingOf(now_, when_);
    baseline_ = last_.live_bytes;
    baseline_time_ = when;
  }
  seconds_ = first ? 0 : std::max(1e-3, absl::ToDoubleSeconds(when - last_.when));
  frames_.resize(now_.stacks.size());
  named_.resize(now_.stacks.size());

  totals_ = {};
  totals_.peak_bytes = now_.peak_bytes;
  totals_.foreign_frees = now_.foreign_frees;
  uint64_t before = 0;
  for (size_t i = 0; i < now_.stacks.size(); ++i) {
    const SnapshotStack& stack = now_.stacks[i];
    totals_.live_bytes += stack.live_bytes();
    totals_.live_blocks += stack.live_blocks();
    totals_.allocations += stack.allocations;
    totals_.allocated_bytes += stack.allocated_bytes;
    totals_.frees += stack.frees;
    totals_.grown_bytes += Live(stack) - (i < baseline_.size() ? baseline_[i] : 0);
    before += i < last_.allocations.size() ? last_.allocations[i] : 0;
  }
  totals_.peak_bytes = std::max(totals_.peak_bytes, totals_.live_bytes);
  if (first) return;
  totals_.allocations_per_second = static_cast<double>(totals_.allocations - before) / seconds_;
  totals_.frees_per_second = static_cast<double>(totals_.frees - last_.frees) / seconds_;
}

void TopView::SetBaseline() {
  baseline_ = ReadingOf(now_, when_).live_bytes;
  baseline_time_ = when_;
  totals_.grown_bytes = 0;
}

const std::vector<Frame>& TopView::FramesOf(uint32_t stack) {
  if (!named_[stack]) {
    frames_[stack] = namer_.Name(now_, now_.stacks[stack].node);
    named_[stack] = true;
  }
  return frames_[stack];
}

std::string TopView::Label(uint32_t stack) { return StackLine(FramesOf(stack)); }

bool TopView::Passes(uint32_t stack, const std::string& filter) {
  const std::string wanted = absl::AsciiStrToLower(filter);
  const auto contains = [&wanted](absl::string_view name) { return absl::StrContains(absl::AsciiStrToLower(name), wanted); };
  const std::vector<Frame>& frames = FramesOf(stack);
  return std::any_of(frames.begin(), frames.end(),
                     [&](const Frame& frame) { return contains(frame.function) || contains(BaseName(frame.module)); });
}

std::vector<TopRow> TopView::Rows(TopSort sort, const std::string& filter) {
  std::vector<TopRow> rows;
  for (uint32_t i = 0; i < now_.stacks.size(); ++i) {
    const SnapshotStack& stack = now_.stacks[i];
    if (stack.allocations == 0 || (!filter.empty() && !Passes(i, filter))) continue;
    TopRow& row = rows.emplace_back();
    row.stack = i;
    row.door = stack.door;
    row.live_bytes = stack.live_bytes();
    row.live_blocks = stack.live_blocks();
    row.allocations = stack.allocations;
    row.allocated_bytes = stack.allocated_bytes;
    row.frees = stack.frees;
    row.grown_bytes = Live(stack) - (i < baseline_.size() ? baseline_[i] : 0);
    const uint64_t before = i < last_.allocations.size() ? last_.allocations[i] : 0;
    if (seconds_ > 0) row.allocations_per_second = static_cast<double>(stack.allocations - before) / seconds_;
  }
  const auto key = [sort](const TopRow& row) -> double {
    switch (sort) {
      case TopSort::kBytes:
        return static_cast<double>(row.live_bytes);
      case TopSort::kBlocks:
        return static_cast<double>(row.live_blocks);
      case TopSort::kGrowth:
        return static_cast<double>(row.grown_bytes);
      case TopSort::kRate:
        return row.allocations_per_second;
    }
    return 0;
  };
  std::stable_sort(rows.begin(), rows.end(), [&key](const TopRow& a, const TopRow& b) {
    return key(a) != key(b) ? key(a) > key(b) : a.live_bytes > b.live_bytes;
  });
  return rows;
}

}  // namespace mallocspy
