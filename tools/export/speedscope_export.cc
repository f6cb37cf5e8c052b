#include "tools/export/speedscope_export.h"

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/export/json_writing.h"

namespace mallocspy {
namespace {

struct Value {
  const char* name;
  const char* unit;
  uint64_t StackCounts::*of;
};
constexpr Value kValues[] = {
    {"live bytes", "bytes", &StackCounts::live_bytes},
    {"live blocks", "none", &StackCounts::live_blocks},
    {"bytes at the peak", "bytes", &StackCounts::peak_bytes},
    {"allocated bytes", "bytes", &StackCounts::allocated_bytes},
    {"allocations", "none", &StackCounts::allocations},
};

std::string FrameJson(const Frame& frame) {
  std::string json = absl::StrCat("{\"name\":", JsonString(FrameName(frame)));
  const std::string& file = frame.file.empty() ? frame.module : frame.file;
  if (!file.empty()) absl::StrAppend(&json, ",\"file\":", JsonString(file));
  if (frame.line != 0) absl::StrAppend(&json, ",\"line\":", frame.line);
  if (frame.column != 0) absl::StrAppend(&json, ",\"col\":", frame.column);
  return json + "}";
}

// The table of frames, each there once.
class Frames {
 public:
  explicit Frames(const NamedStacks& stacks) {
    Add(absl::StrCat("{\"name\":\"", kUnknownStack, "\"}"));
    for (const NamedSite& site : stacks.sites()) {
      std::vector<size_t> indices;  // outermost function first
      for (auto frame = site.frames.rbegin(); frame != site.frames.rend(); ++frame) indices.push_back(Add(FrameJson(*frame)));
      of_site_.push_back(absl::StrJoin(indices, ","));
    }
  }

  const std::vector<std::string>& json() const { return json_; }

  std::string Sample(const NamedStacks& stacks, const NamedStack& stack) const {
    const std::vector<uint32_t> sites = stacks.SitesOf(stack);
    if (sites.empty()) return "[0]";
    std::string sample;
    for (auto site = sites.rbegin(); site != sites.rend(); ++site) {
      absl::StrAppend(&sample, sample.empty() ? "[" : ",", of_site_[*site]);
    }
    return sample + "]";
  }

 private:
  size_t Add(std::string json) {
    const auto [place, added] = index_.try_emplace(json, json_.size());
    if (added) json_.push_back(std::move(json));
    return place->second;
  }

  absl::flat_hash_map<std::string, size_t> index_;
  std::vector<std::string> json_;
  std::vector<std::string> of_site_;
};

void WriteProfile(const NamedStacks& stacks, const Frames& frames, const Value& value, ByteSink* sink) {
  uint64_t sum = 0;
  const char* comma = "";
  sink->Append(absl::StrCat("{\"type\":\"sampled\",\"name\":\"", value.name, "\",\"unit\":\"", value.unit, "\",\"samples\":["));
  for (const NamedStack& stack : stacks.stacks()) {
    if (stack.counts.*value.of == 0) continue;
    sink->Append(absl::StrCat(comma, frames.Sample(stacks, stack)));
    sum += stack.counts.*value.of;
    comma = ",\n";
  }
  sink->Append("],\"weights\":[");
  comma = "";
  for (const NamedStack& stack : stacks.stacks()) {
    if (stack.counts.*value.of == 0) continue;
    sink->Append(absl::StrCat(comma, stack.counts.*value.of));
    comma = ",";
  }
  sink->Append(absl::StrCat("],\"startValue\":0,\"endValue\":", sum, "}"));
}

}  // namespace

void WriteSpeedscope(const NamedStacks& stacks, ByteSink* sink) {
  const Frames frames(stacks);
  const Snapshot& snapshot = stacks.snapshot();
  sink->Append(absl::StrCat("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\"exporter\":\"mallocspy ",
                            MALLOCSPY_VERSION, "\",\"name\":",
                            JsonString(absl::StrCat(snapshot.exe, " (pid ", snapshot.pid, ")")),
                            ",\"activeProfileIndex\":0,\"shared\":{\"frames\":["));
  const char* comma = "";
  for (const std::string& frame : frames.json()) {
    sink->Append(absl::StrCat(comma, frame));
    comma = ",\n";
  }
  sink->Append("]},\"profiles\":[");
  comma = "";
  for (const Value& value : kValues) {
    sink->Append(comma);
    WriteProfile(stacks, frames, value, sink);
    comma = ",\n";
  }
  sink->Append("]}\n");
}

}  // namespace mallocspy
