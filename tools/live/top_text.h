// One look at a running process, as text and as JSON (schema "mallocspy-top/1").
#pragma once

#include <cstdint>
#include <string>

#include "tools/live/top_view.h"

namespace mallocspy {

struct TopSelection {
  TopSort sort = TopSort::kBytes;
  std::string filter;
  uint64_t most_rows = 20;
};

// "redis-server (pid 42): 73.5M in 3019504 blocks, ..."; escaped.
std::string TopHeading(const TopView& view, uint32_t pid);

std::string TopText(TopView* view, uint32_t pid, const TopSelection& selection);

// {"schema", "process": {"pid", "exe", "cmdline"}, "time", "totals": as in a report, "stacks": [{"live_bytes", "live_blocks", "allocations",
// "allocated_bytes", "frees", "door", "frames"}], "stacks_shown", "stacks_of"}.
std::string TopJson(TopView* view, uint32_t pid, const TopSelection& selection);

}  // namespace mallocspy
