#include "tools/export/dhat_export.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/export/json_writing.h"

namespace mallocspy {
namespace {

std::string Point(const StackCounts& counts, bool peak_is_end, const std::string& frames) {
  return absl::StrCat("{\"tb\":", counts.allocated_bytes, ",\"tbk\":", counts.allocations, ",\"tl\":0,\"mb\":", counts.live_bytes,
                      ",\"mbk\":", counts.live_blocks, ",\"gb\":", peak_is_end ? counts.live_bytes : 0,
                      ",\"gbk\":", peak_is_end ? counts.live_blocks : 0, ",\"eb\":", counts.live_bytes,
                      ",\"ebk\":", counts.live_blocks, ",\"fs\":[", frames, "]}");
}

// With what the numbers do not mean, where the viewer shows it.
std::string Command(const Snapshot& snapshot, bool peak_is_end) {
  const std::string command = absl::StrJoin(snapshot.cmdline, " ");
  if (peak_is_end) return command;
  return absl::StrCat(command, "  (by mallocspy: the heap's largest size was ", snapshot.peak_bytes,
                      " bytes, but not what it consisted of: t-gmax is not known, lifetimes are not either)");
}

}  // namespace

void WriteDhat(const NamedStacks& stacks, ByteSink* sink) {
  const Snapshot& snapshot = stacks.snapshot();
  const bool peak_is_end = snapshot.peak_bytes <= stacks.totals().live_bytes;
  const uint64_t microseconds = snapshot.ended_ns > snapshot.started_ns ? (snapshot.ended_ns - snapshot.started_ns) / 1000 : 0;
  sink->Append(absl::StrCat("{\"dhatFileVersion\":2,\"mode\":\"heap\",\"verb\":\"Allocated\",\"bklt\":true,\"bkacc\":false,"
                            "\"tu\":\"us\",\"Mtu\":\"s\",\"tuth\":0,\"cmd\":",
                            JsonString(Command(snapshot, peak_is_end)), ",\"pid\":", snapshot.pid, ",\"te\":", microseconds,
                            ",\"tg\":", peak_is_end ? microseconds : 0, ",\"pps\":["));
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
    sink->Append(absl::StrCat(comma, Point(counts, peak_is_end, frames)));
    comma = ",\n";
  }
  sink->Append(absl::StrCat("],\"ftbl\":[\"[root]\",\"", kUnknownStack, "\""));
  for (const NamedSite& site : stacks.sites()) {
    for (const Frame& frame : site.frames) sink->Append(absl::StrCat(",\n", JsonString(ValgrindFrame(frame))));
  }
  sink->Append("]}\n");
}

}  // namespace mallocspy
