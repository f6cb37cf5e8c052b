#include "tools/report/diff_report.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "tools/report/text_stack.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

using Json = nlohmann::ordered_json;
using Kind = LeakChange::Kind;

constexpr Kind kKinds[] = {Kind::kNew, Kind::kGrown, Kind::kShrunk, Kind::kGone, Kind::kSame};

uint64_t CountOf(const std::vector<LeakChange>& changes, Kind kind) {
  uint64_t count = 0;
  for (const LeakChange& change : changes) count += change.kind == kind ? 1 : 0;
  return count;
}

// "+3", "-3", "+0"
std::string Delta(uint64_t before, uint64_t now) {
  return now >= before ? absl::StrCat("+", now - before) : absl::StrCat("-", before - now);
}

std::string AmountText(const BlockTotal& total, LeakClass worst) {
  if (total.blocks == 0) return "none";
  return absl::StrCat(Count(total.bytes, "byte"), " in ", Count(total.blocks, "block"), ", ", NameOf(worst));
}

void AppendChange(const LeakChange& change, std::string* text) {
  absl::StrAppend(text, "\n", NameOf(change.kind), ": ", Delta(change.before.bytes, change.now.bytes), " bytes, ",
                  Delta(change.before.blocks, change.now.blocks), " blocks (now ",
                  AmountText(change.now, change.worst_now), "; before ", AmountText(change.before, change.worst_before),
                  "; id ", Escaped(change.leak.id), ")\n");
  AppendStack(change.leak.frames, text);
}

Json TextOrNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(ValidUtf8(text)); }

Json FramesJson(const std::vector<Frame>& frames) {
  Json json = Json::array();
  for (const Frame& frame : frames) {
    json.push_back({{"module", TextOrNull(frame.module)},
                    {"function", TextOrNull(frame.function)},
                    {"file", TextOrNull(frame.file)},
                    {"line", frame.line > 0 ? Json(frame.line) : Json(nullptr)}});
  }
  return json;
}

Json ChangeJson(const LeakChange& change) {
  Json json;
  json["id"] = change.leak.id;
  json["change"] = std::string(NameOf(change.kind));
  json["class"] = change.kind == Kind::kGone ? Json(nullptr) : Json(NameOf(change.worst_now));
  json["blocks"] = change.now.blocks;
  json["bytes"] = change.now.bytes;
  json["old_class"] = change.kind == Kind::kNew ? Json(nullptr) : Json(NameOf(change.worst_before));
  json["old_blocks"] = change.before.blocks;
  json["old_bytes"] = change.before.bytes;
  json["frames"] = FramesJson(change.leak.frames);
  return json;
}

Json TotalJson(const BlockTotal& total) { return {{"blocks", total.blocks}, {"bytes", total.bytes}}; }

Json HeapJson(const HeapDiff& heap) {
  Json json = {{"made", TotalJson(heap.made)}, {"gone", TotalJson(heap.gone)}, {"stayed", TotalJson(heap.stayed)}, {"stacks", Json::array()}};
  for (const HeapChange& change : heap.changes) {
    json["stacks"].push_back({{"door", NameOf(change.door)},
                              {"made", TotalJson(change.made)},
                              {"gone", TotalJson(change.gone)},
                              {"frames", FramesJson(change.frames)}});
  }
  return json;
}

std::string TotalText(const BlockTotal& total) { return absl::StrCat(Count(total.bytes, "byte"), " in ", Count(total.blocks, "block")); }

std::string HeapText(const HeapDiff& heap) {
  constexpr size_t kMostShown = 20;
  std::string text = absl::StrCat("mallocspy: heap: ", TotalText(heap.made), " made in between and still live, ", TotalText(heap.gone), " gone, ",
                                  TotalText(heap.stayed), " stayed\n");
  for (size_t i = 0; i < heap.changes.size() && i < kMostShown; ++i) {
    const HeapChange& change = heap.changes[i];
    absl::StrAppend(&text, "\nmade: ", TotalText(change.made), "; gone: ", TotalText(change.gone), " (by ", NameOf(change.door), ")\n");
    AppendStack(change.frames, &text);
  }
  if (heap.changes.size() > kMostShown) {
    absl::StrAppend(&text, "\nand ", Count(heap.changes.size() - kMostShown, "more stack"), "; --format=json lists all\n");
  }
  return text + "\n";
}

// A block that can still be reached, before and now.
bool IsHeld(const LeakChange& change) {
  return change.worst_now == LeakClass::kReachable && change.worst_before == LeakClass::kReachable;
}

}  // namespace

std::string DiffText(const std::vector<LeakChange>& changes, const HeapDiff* heap) {
  std::string text = heap != nullptr ? HeapText(*heap) : "";
  text += "mallocspy: diff:";
  for (const Kind kind : kKinds) {
    absl::StrAppend(&text, kind == Kind::kNew ? " " : ", ", CountOf(changes, kind), " ", NameOf(kind));
  }
  text += "\n";
  for (const LeakChange& change : changes) {
    if (change.kind != Kind::kSame && (heap == nullptr || !IsHeld(change))) AppendChange(change, &text);
  }
  return text;
}

std::string DiffJson(const std::vector<LeakChange>& changes, const HeapDiff* heap) {
  Json json;
  json["schema"] = "mallocspy-diff/1";
  for (const Kind kind : kKinds) json["summary"][std::string(NameOf(kind))] = CountOf(changes, kind);
  json["changes"] = Json::array();
  for (const LeakChange& change : changes) json["changes"].push_back(ChangeJson(change));
  json["heap"] = heap != nullptr ? HeapJson(*heap) : Json(nullptr);
  return json.dump(1) + "\n";
}

}  // namespace mallocspy
