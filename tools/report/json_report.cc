#include "tools/report/json_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "tools/report/json_parts.h"
#include "tools/verdict/process_summary.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

using Json = nlohmann::ordered_json;

Json ExitJson(const ProcessExit& exit) {
  switch (exit.kind) {
    case ProcessExit::Kind::kCode:
      return {{"code", exit.value}};
    case ProcessExit::Kind::kSignal:
      return {{"signal", exit.value}};
    case ProcessExit::Kind::kExec:
      return {{"exec", JsonText(exit.program)}};
    case ProcessExit::Kind::kUnknown:
    case ProcessExit::Kind::kRunning:
      break;
  }
  return Json::object();
}

Json ProcessJson(const Process& process) {
  Json json;
  json["pid"] = process.pid;
  json["exe"] = JsonText(process.exe);
  json["cmdline"] = Json::array();
  for (const std::string& argument : process.cmdline) json["cmdline"].push_back(JsonText(argument));
  json["exit"] = ExitJson(process.exit);
  json["crash"] = StackJson(process.crash);
  json["interposed"] = process.interposed;
  json["degraded"] = Json::array();
  for (const std::string& sentence : process.degraded) json["degraded"].push_back(JsonText(sentence));
  return json;
}

Json TotalsJson(const Totals& totals) {
  Json json;
  json["allocations"] = totals.allocations;
  json["allocated_bytes"] = totals.allocated_bytes;
  json["frees"] = totals.frees;
  json["live_blocks"] = totals.live_blocks;
  json["live_bytes"] = totals.live_bytes;
  json["peak_bytes"] = totals.peak_bytes;
  json["foreign_frees"] = totals.foreign_frees;
  return json;
}

Json RootJson(const LeakRoot& root) {
  Json json;
  json["kind"] = root.kind;
  json["name"] = JsonTextOrNull(root.name);
  json["module"] = JsonTextOrNull(root.module);
  json["tid"] = root.tid != 0 ? Json(root.tid) : Json(nullptr);
  json["address"] = root.address != 0 ? Json(root.address) : Json(nullptr);
  return json;
}

Json LeakJson(const Leak& leak) {
  Json json;
  json["id"] = leak.id;
  json["class"] = JsonText(NameOf(leak.leak_class));
  json["blocks"] = leak.blocks;
  json["bytes"] = leak.bytes;
  json["mark"] = leak.mark.has_value() ? Json(*leak.mark) : Json(nullptr);
  json["door"] = JsonTextOrNull(NameOf(leak.door));
  json["root"] = leak.root.has_value() ? RootJson(*leak.root) : Json(nullptr);
  json["suppressed_by"] = JsonTextOrNull(leak.suppressed_by);
  json["baseline"] = Json(nullptr);
  if (leak.baseline.has_value()) {
    json["baseline"] = {
        {"state", NameOf(leak.baseline->state)}, {"blocks", leak.baseline->blocks}, {"bytes", leak.baseline->bytes}};
  }
  json["frames"] = StackJson(leak.frames);
  return json;
}

Json SuppressionJson(const SuppressionUse& use) {
  Json json;
  json["name"] = JsonText(use.name);
  json["file"] = JsonText(use.file);
  json["line"] = use.line;
  json["reason"] = JsonTextOrNull(use.reason);
  json["state"] = JsonText(NameOf(use.state));
  json["blocks"] = use.blocks;
  json["bytes"] = use.bytes;
  return json;
}

Json BaselineJson(const BaselineSummary& baseline) {
  return {{"file", JsonText(baseline.file)},
          {"new", baseline.fresh},
          {"grown", baseline.grown},
          {"known", baseline.known},
          {"gone", baseline.gone}};
}

Json ErrorJson(const HeapError& error) {
  Json json;
  json["kind"] = error.kind;
  json["address"] = error.address;
  json["size"] = error.size;
  json["door"] = JsonTextOrNull(NameOf(error.block_door));
  json["used_door"] = JsonTextOrNull(NameOf(error.used_door));
  // An offset in front of the block is negative.
  json["value"] = error.kind == "use-after-free-write" || error.trapped ? Json(static_cast<int64_t>(error.value)) : Json(error.value);
  json["detail"] = JsonTextOrNull(error.detail);
  json["count"] = error.count;
  json["tid"] = error.tid;
  json["where"] = StackJson(error.where);
  json["allocated"] = StackJson(error.allocated);
  json["freed"] = StackJson(error.freed);
  if (!error.references.empty()) {
    json["references"] = Json::array();
    for (const ReferenceCall& call : error.references) {
      json["references"].push_back({{"added", call.added}, {"released", call.released}, {"where", StackJson(call.frames)}});
    }
  }
  return json;
}

Json InjectedJson(const HeapError& failure) {
  Json json;
  json["size"] = failure.size;
  json["count"] = failure.count;
  json["tid"] = failure.tid;
  json["where"] = StackJson(failure.where);
  return json;
}

Json HandoverJson(const Handover& handover) {
  Json json;
  json["made_in"] = JsonTextOrNull(handover.maker);
  json["made_by"] = JsonTextOrNull(NameOf(handover.made));
  json["freed_in"] = JsonTextOrNull(handover.freer);
  json["freed_by"] = JsonTextOrNull(NameOf(handover.freed));
  json["blocks"] = handover.blocks;
  json["bytes"] = handover.bytes;
  json["mismatched"] = !DoorsMatch(handover.made, handover.freed);
  return json;
}

// Reports can be large: each leak, error and child is written as soon as it is made, on a line of its own.
template <typename Elements, typename Append>
void AppendArray(absl::string_view key, const Elements& elements, Append append, std::string* out) {
  absl::StrAppend(out, ",\n\"", key, "\": [");
  for (size_t i = 0; i < elements.size(); ++i) {
    absl::StrAppend(out, i == 0 ? "\n" : ",\n");
    append(elements[i], out);
  }
  absl::StrAppend(out, elements.empty() ? "]" : "\n]");
}

// The programs of these processes, each once.
Json ProgramsJson(const std::vector<const Findings*>& in) {
  std::vector<std::string> programs;
  for (const Findings* process : in) programs.push_back(ValidUtf8(process->process.exe));
  std::sort(programs.begin(), programs.end());
  programs.erase(std::unique(programs.begin(), programs.end()), programs.end());
  return programs;
}

Json MergedLeakJson(const MergedLeak& merged) {
  Json json;
  json["id"] = merged.leak.id;
  json["class"] = JsonText(NameOf(merged.leak.leak_class));
  json["processes"] = merged.in.size();
  json["blocks"] = merged.leak.blocks;
  json["bytes"] = merged.leak.bytes;
  json["door"] = JsonTextOrNull(NameOf(merged.leak.door));
  json["programs"] = ProgramsJson(merged.in);
  json["frames"] = StackJson(merged.leak.frames);
  return json;
}

Json MergedErrorJson(const MergedError& merged) {
  Json json;
  json["kind"] = merged.error.kind;
  json["processes"] = merged.in.size();
  json["count"] = merged.error.count;
  json["programs"] = ProgramsJson(merged.in);
  json["where"] = StackJson(merged.error.where);
  json["allocated"] = StackJson(merged.error.allocated);
  json["freed"] = StackJson(merged.error.freed);
  return json;
}

void AppendSummary(const ProcessSummary& summary, std::string* out) {
  absl::StrAppend(out, ",\n\"summary\": {\n\"processes\": ", summary.processes, ",\n\"judged\": ", summary.judged,
                  ",\n\"status\": ", JsonText(NameOf(summary.status)).dump());
  AppendArray(
      "leaks", summary.leaks, [](const MergedLeak& leak, std::string* to) { *to += MergedLeakJson(leak).dump(); }, out);
  AppendArray(
      "errors", summary.errors, [](const MergedError& error, std::string* to) { *to += MergedErrorJson(error).dump(); },
      out);
  absl::StrAppend(out, "\n}");
}

// `summary` is null for a child.
void AppendFindings(const Findings& findings, absl::Span<const Findings* const> children, const ProcessSummary* summary,
                    std::string* out) {
  Json verdict;
  verdict["status"] = JsonText(NameOf(findings.verdict.status));
  verdict["reachability"] = JsonText(NameOf(findings.verdict.reachability));
  verdict["judged"] = findings.verdict.judged;
  absl::StrAppend(out, "{\n\"schema\": \"mallocspy-report/1\",\n\"process\": ", ProcessJson(findings.process).dump(),
                  ",\n\"totals\": ", TotalsJson(findings.totals).dump(), ",\n\"verdict\": ", verdict.dump());
  std::vector<const Leak*> leaks;
  for (const std::vector<Leak>* const list : {&findings.leaks, &findings.accepted}) {
    for (const Leak& leak : *list) leaks.push_back(&leak);
  }
  AppendArray(
      "leaks", leaks, [](const Leak* leak, std::string* to) { *to += LeakJson(*leak).dump(); }, out);
  if (const uint64_t all = findings.leak_groups + findings.accepted_groups; all > leaks.size()) {
    absl::StrAppend(out, ",\n\"leaks_omitted\": ", all - leaks.size());
  }
  AppendArray(
      "errors", findings.errors, [](const HeapError& error, std::string* to) { *to += ErrorJson(error).dump(); }, out);
  AppendArray(
      "injected", findings.injected, [](const HeapError& failure, std::string* to) { *to += InjectedJson(failure).dump(); }, out);
  AppendArray(
      "ownership", findings.ownership, [](const Handover& handover, std::string* to) { *to += HandoverJson(handover).dump(); }, out);
  AppendArray(
      "children", children, [](const Findings* child, std::string* to) { AppendFindings(*child, {}, nullptr, to); },
      out);
  if (summary != nullptr) AppendSummary(*summary, out);
  absl::StrAppend(out, "\n}");
}

}  // namespace

std::string JsonReport(const Findings& findings) { return JsonReport(std::vector<Findings>{findings}); }

std::string JsonReport(const std::vector<Findings>& reports) {
  const std::vector<const Findings*> processes = EveryProcess(reports);
  const ProcessSummary summary = Summarize(reports);
  std::string report;
  const Findings& first = *processes[0];
  AppendFindings(first, absl::MakeConstSpan(processes).subspan(1), &summary, &report);
  report.erase(report.size() - 2);  // the end of the object, to which belongs what is of the whole report
  AppendArray(
      "suppressions", first.suppressions,
      [](const SuppressionUse& use, std::string* to) { *to += SuppressionJson(use).dump(); }, &report);
  absl::StrAppend(&report, ",\n\"baseline\": ",
                  (first.baseline.has_value() ? BaselineJson(*first.baseline) : Json(nullptr)).dump(), "\n}\n");
  return report;
}

}  // namespace mallocspy
