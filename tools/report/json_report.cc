#include "tools/report/json_report.h"

#include <nlohmann/json.hpp>

#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

using Json = nlohmann::ordered_json;

Json Text(absl::string_view text) { return ValidUtf8(text); }
Json TextOrNull(absl::string_view text) { return text.empty() ? Json(nullptr) : Text(text); }

Json FrameJson(const Frame& frame) {
  Json json;
  json["module"] = TextOrNull(frame.module);
  json["build_id"] = TextOrNull(frame.build_id);
  json["offset"] = frame.offset;
  json["function"] = TextOrNull(frame.function);
  json["file"] = TextOrNull(frame.file);
  json["line"] = frame.line > 0 ? Json(frame.line) : Json(nullptr);
  json["inlined"] = frame.inlined;
  return json;
}

Json StackJson(const std::vector<Frame>& frames) {
  Json json = Json::array();
  for (const Frame& frame : frames) json.push_back(FrameJson(frame));
  return json;
}

Json ExitJson(const ProcessExit& exit) {
  switch (exit.kind) {
    case ProcessExit::Kind::kCode:
      return {{"code", exit.value}};
    case ProcessExit::Kind::kSignal:
      return {{"signal", exit.value}};
    case ProcessExit::Kind::kExec:
      return {{"exec", Text(exit.program)}};
    case ProcessExit::Kind::kUnknown:
    case ProcessExit::Kind::kRunning:
      break;
  }
  return Json::object();
}

Json ProcessJson(const Process& process) {
  Json json;
  json["pid"] = process.pid;
  json["exe"] = Text(process.exe);
  json["cmdline"] = Json::array();
  for (const std::string& argument : process.cmdline) json["cmdline"].push_back(Text(argument));
  json["exit"] = ExitJson(process.exit);
  json["interposed"] = process.interposed;
  json["degraded"] = Json::array();
  for (const std::string& sentence : process.degraded) json["degraded"].push_back(Text(sentence));
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

Json LeakJson(const Leak& leak) {
  Json json;
  json["id"] = leak.id;
  json["class"] = Text(NameOf(leak.leak_class));
  json["blocks"] = leak.blocks;
  json["bytes"] = leak.bytes;
  json["mark"] = leak.mark.has_value() ? Json(*leak.mark) : Json(nullptr);
  json["door"] = TextOrNull(NameOf(leak.door));
  json["frames"] = StackJson(leak.frames);
  return json;
}

Json ErrorJson(const HeapError& error) {
  Json json;
  json["kind"] = error.kind;
  json["address"] = error.address;
  json["size"] = error.size;
  json["door"] = TextOrNull(NameOf(error.block_door));
  json["used_door"] = TextOrNull(NameOf(error.used_door));
  json["value"] = error.value;
  json["detail"] = TextOrNull(error.detail);
  json["count"] = error.count;
  json["tid"] = error.tid;
  json["where"] = StackJson(error.where);
  json["allocated"] = StackJson(error.allocated);
  json["freed"] = StackJson(error.freed);
  return json;
}

// The part that a top level and a child have in common.
void AddProcess(const Findings& findings, Json* json) {
  Json& out = *json;
  out["process"] = ProcessJson(findings.process);
  out["totals"] = TotalsJson(findings.totals);
  out["verdict"]["status"] = Text(NameOf(findings.verdict.status));
  out["verdict"]["reachability"] = "unknown";
  out["leaks"] = Json::array();
  for (const Leak& leak : findings.leaks) out["leaks"].push_back(LeakJson(leak));
  if (findings.leak_groups > findings.leaks.size()) {
    out["leaks_omitted"] = findings.leak_groups - findings.leaks.size();
  }
  out["errors"] = Json::array();
  for (const HeapError& error : findings.errors) out["errors"].push_back(ErrorJson(error));
  out["children"] = Json::array();
}

}  // namespace

std::string JsonReport(const Findings& findings) {
  Json json;
  json["schema"] = "mallocspy-report/1";
  AddProcess(findings, &json);
  for (const Findings& child : findings.children) {
    Json object;
    object["schema"] = "mallocspy-report/1";
    AddProcess(child, &object);
    json["children"].push_back(std::move(object));
  }
  return json.dump(2) + "\n";
}

}  // namespace mallocspy
