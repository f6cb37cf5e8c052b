#include "tools/page/picture_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tools/page/dominators_json.h"
#include "tools/page/stack_counters.h"
#include "tools/report/error_text.h"
#include "tools/report/summary_text.h"
#include "tools/report/text_report.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

using Json = nlohmann::ordered_json;

// JavaScript counts exactly up to here; only a damaged ledger has more.
uint64_t Number(uint64_t number) { return std::min(number, (uint64_t{1} << 53) - 1); }

Json Milliseconds(uint64_t ns) { return ns == 0 ? Json(nullptr) : Json(ns / 1000000); }

Json TotalsJson(const Totals& totals) {
  return {{"allocations", Number(totals.allocations)},
          {"allocated_bytes", Number(totals.allocated_bytes)},
          {"frees", Number(totals.frees)},
          {"live_blocks", Number(totals.live_blocks)},
          {"live_bytes", Number(totals.live_bytes)},
          {"peak_bytes", Number(totals.peak_bytes)},
          {"foreign_frees", Number(totals.foreign_frees)}};
}

Json ClassesJson(const Findings& findings) {
  Json json = Json::object();
  for (const LeakClass leak_class :
       {LeakClass::kDefinite, LeakClass::kIndirect, LeakClass::kPossible, LeakClass::kReachable, LeakClass::kUnknown}) {
    json[std::string(NameOf(leak_class))] = TotalJson(findings.Of(leak_class));
  }
  return json;
}

// "global g_table (libfoo.so)"
std::string RootText(const LeakRoot& root) {
  std::string text = root.kind;
  if (root.tid != 0) absl::StrAppend(&text, " of thread ", root.tid);
  if (!root.name.empty()) absl::StrAppend(&text, " ", root.name);
  if (!root.module.empty()) absl::StrAppend(&text, " (", root.module, ")");
  if (root.name.empty() && root.address != 0) absl::StrAppend(&text, " at 0x", absl::Hex(root.address));
  return text;
}

Json LeakJson(const Leak& leak, StackTree* tree) {
  Json json;
  json["id"] = JsonTextOf(leak.id);
  json["class"] = JsonTextOf(NameOf(leak.leak_class));
  json["blocks"] = Number(leak.blocks);
  json["bytes"] = Number(leak.bytes);
  json["mark"] = leak.mark.has_value() ? Json(*leak.mark) : Json(nullptr);
  json["door"] = JsonTextOf(NameOf(leak.door));
  json["root"] = leak.root.has_value() ? JsonTextOf(RootText(*leak.root)) : Json("");
  json["suppressed_by"] = JsonTextOf(leak.suppressed_by);
  json["baseline"] = leak.baseline.has_value() ? JsonTextOf(NameOf(leak.baseline->state)) : Json("");
  json["truncated"] = leak.truncated;
  json["node"] = tree->AddStack(leak.frames);
  return json;
}

Json ErrorJson(const HeapError& error, StackTree* tree) {
  Json stacks = Json::array();
  for (const NamedStack& stack : ErrorStacks(error)) {
    stacks.push_back({{"name", JsonTextOf(stack.name)}, {"node", tree->AddStack(*stack.frames)}});
  }
  return {{"headline", ErrorHeadline(error)}, {"count", Number(error.count)}, {"stacks", std::move(stacks)}};
}

Json SizesJson(const Snapshot* snapshot) {
  if (snapshot == nullptr) return nullptr;
  const SizeHistogram sizes = CountSizes(*snapshot);
  Json json = {{"exact", sizes.exact}, {"blocks", Json::array()}, {"bytes", Json::array()}};
  for (const uint64_t blocks : sizes.blocks) json["blocks"].push_back(Number(blocks));
  for (const uint64_t bytes : sizes.bytes) json["bytes"].push_back(Number(bytes));
  return json;
}

Json MarksJson(const Snapshot* snapshot) {
  Json json = Json::array();
  if (snapshot == nullptr) return json;
  for (const SnapshotMark& mark : snapshot->marks) {
    json.push_back({{"name", JsonTextOf(mark.name)},
                    {"ms", Milliseconds(mark.began_ns)},
                    {"live_bytes", Number(static_cast<uint64_t>(std::max<int64_t>(mark.live_bytes, 0)))}});
  }
  return json;
}

Json StacksJson(const std::vector<StackCounters>& rows) {
  Json json;
  const auto column = [&json, &rows](const char* name, auto value) {
    Json& values = json[name] = Json::array();
    for (const StackCounters& row : rows) values.push_back(value(row));
  };
  column("node", [](const StackCounters& row) { return row.node; });
  column("door", [](const StackCounters& row) { return static_cast<uint32_t>(row.door); });
  column("live_blocks", [](const StackCounters& row) { return Number(row.live_blocks); });
  column("live_bytes", [](const StackCounters& row) { return Number(row.live_bytes); });
  column("allocations", [](const StackCounters& row) { return Number(row.allocations); });
  column("allocated_bytes", [](const StackCounters& row) { return Number(row.allocated_bytes); });
  column("frees", [](const StackCounters& row) { return Number(row.frees); });
  column("peak_blocks", [](const StackCounters& row) { return Number(row.peak_blocks); });
  column("peak_bytes", [](const StackCounters& row) { return Number(row.peak_bytes); });
  return json;
}

// What is known of the live blocks' stacks without a snapshot.
std::vector<Leak> AllLeaks(const Findings& findings) {
  std::vector<Leak> leaks = findings.leaks;
  leaks.insert(leaks.end(), findings.accepted.begin(), findings.accepted.end());
  return leaks;
}

}  // namespace

Json TotalJson(const BlockTotal& total) { return {{"blocks", Number(total.blocks)}, {"bytes", Number(total.bytes)}}; }

Json JsonTextOf(absl::string_view text) { return Escaped(text); }

Json PictureJson(const Findings& findings, const Snapshot* snapshot, FrameNamer* namer, StackTree* tree) {
  Json json;
  json["label"] = ProcessName(findings.process);
  json["pid"] = findings.process.pid;
  json["exe"] = JsonTextOf(findings.process.exe);
  json["cmdline"] = Json::array();
  for (const std::string& argument : findings.process.cmdline) json["cmdline"].push_back(JsonTextOf(argument));
  json["verdict"] = {{"status", JsonTextOf(NameOf(findings.verdict.status))},
                     {"sentence", Answer(findings)},
                     {"reachability", JsonTextOf(NameOf(findings.verdict.reachability))},
                     {"judged", findings.verdict.judged}};
  json["degraded"] = Json::array();
  for (const std::string& sentence : findings.process.degraded) json["degraded"].push_back(JsonTextOf(sentence));
  json["started_ms"] = Milliseconds(findings.process.started_ns);
  json["taken_ms"] = Milliseconds(findings.process.ended_ns);
  json["totals"] = TotalsJson(findings.totals);
  json["classes"] = ClassesJson(findings);
  const std::vector<Leak> leaks = AllLeaks(findings);
  json["leaks"] = Json::array();
  for (const Leak& leak : leaks) json["leaks"].push_back(LeakJson(leak, tree));
  json["leaks_omitted"] = findings.leak_groups + findings.accepted_groups -
                          std::min<uint64_t>(leaks.size(), findings.leak_groups + findings.accepted_groups);
  json["errors"] = Json::array();
  for (const HeapError& error : findings.errors) json["errors"].push_back(ErrorJson(error, tree));
  json["sizes"] = SizesJson(snapshot);
  json["marks"] = MarksJson(snapshot);
  json["stacks"] = StacksJson(snapshot != nullptr ? CountStacks(*snapshot, namer, tree) : CountStacks(leaks, tree));
  if (snapshot != nullptr && snapshot->has_graph) json["dominators"] = DominatorsJson(*snapshot, namer, tree);
  return json;
}

}  // namespace mallocspy
