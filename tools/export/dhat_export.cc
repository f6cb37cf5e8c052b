#include "tools/export/dhat_export.h"

#include <algorithm>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/export/json_writing.h"

namespace mallocspy {
namespace {

std::string Point(const StackCounts& counts, const std::string& frames) {
  return absl::StrCat("{\"tb\":", counts.allocated_bytes, ",\"tbk\":", counts.allocations,
                      ",\"tl\":0,\"mb\":", std::max(counts.peak_bytes, counts.live_bytes),
                      ",\"mbk\":", std::max(counts.peak_blocks, counts.live_blocks), ",\"gb\":", counts.peak_bytes,
                      ",\"gbk\":", counts.peak_blocks, ",\"eb\":", counts.live_bytes, ",\"ebk\":", counts.live_blocks, ",\"fs\":[", frames, "]}");
}

// With what the numbers do not mean, where the viewer shows it.
std::string Command(const Snapshot& snapshot, uint64_t peak_bytes) {
  std::string command = absl::StrCat(absl::StrJoin(snapshot.cmdline, " "), "  (by mallocspy: lifetimes are not known");
  if (peak_bytes != snapshot.peak_bytes) {
    absl::StrAppend(&command, "; the largest size was ", snapshot.peak_bytes, " bytes");
  }
  return absl::StrCat(command, ")");
}

}  // namespace

void WriteDhat(const NamedStacks& stacks, ByteSink* sink) {
  const Snapshot& snapshot = stacks.snapshot();
  sink->Append(absl::StrCat("{\"dhatFileVersion\":2,\"mode\":\"heap\",\"verb\":\"Allocated\",\"bklt\":true,\"bkacc\":false,"
                            "\"tu\":\"B\",\"Mtu\":\"MB\",\"tuth\":0,\"cmd\":",
                            JsonString(Command(snapshot, stacks.totals().peak_bytes)), ",\"pid\":", snapshot.pid, ",\"te\":", snapshot.events_bytes,
                            ",\"tg\":", snapshot.peak.events_bytes, ",\"pps\":["));
  // The table of frames begins with the root and what stands for no stack.
  uint64_t next = 2;
  std::vector<std::string> of_site;  // innermost function first
  for (const NamedSite& site : stacks.sites()) {
    std::string& frames = of_site.emplace_back();
    for (size_t i = 0; i < site.frames.size(); ++i) absl::StrAppend(&frames, i == 0 ? "" : ",", next++);
  }
  // The viewer wants each list of frames once, whatever the doors.
  std::map<std::string, StackCounts> points;
  for (const NamedStack& stack : stacks.stacks()) {
    std::string frames;
    for (const uint32_t site : stacks.SitesOf(stack)) absl::StrAppend(&frames, frames.empty() ? "" : ",", of_site[site]);
    points[frames.empty() ? "1" : frames] += stack.counts;
  }
  const char* comma = "";
  for (const auto& [frames, counts] : points) {
    sink->Append(absl::StrCat(comma, Point(counts, frames)));
    comma = ",\n";
  }
  sink->Append(absl::StrCat("],\"ftbl\":[\"[root]\",\"", kUnknownStack, "\""));
  for (const NamedSite& site : stacks.sites()) {
    for (const Frame& frame : site.frames) sink->Append(absl::StrCat(",\n", JsonString(ValgrindFrame(frame))));
  }
  sink->Append("]}\n");
}

}  // namespace mallocspy
