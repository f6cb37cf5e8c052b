#include "tools/report/report_reader.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tools/report/json_parts.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

using nlohmann::json;

const json kMissing;

// The value of `key`; null if there is none.
const json& At(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? kMissing : *found;
}

std::string TextAt(const json& object, const char* key) {
  const json& value = At(object, key);
  return value.is_string() ? value.get<std::string>() : "";
}

bool IsId(const std::string& id) {
  return id.size() == 16 &&
         std::all_of(id.begin(), id.end(), [](char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); });
}

bool ReadLeak(const json& value, Leak* leak) {
  if (!value.is_object()) return false;
  leak->id = TextAt(value, "id");
  const json& blocks = At(value, "blocks");
  const json& bytes = At(value, "bytes");
  const json& frames = At(value, "frames");
  if (!IsId(leak->id) || !blocks.is_number_unsigned() || !bytes.is_number_unsigned()) {
    return false;
  }
  leak->blocks = blocks.get<uint64_t>();
  leak->bytes = bytes.get<uint64_t>();
  leak->suppressed_by = TextAt(value, "suppressed_by");
  const std::string name = TextAt(value, "class");
  for (const LeakClass leak_class :
       {LeakClass::kDefinite, LeakClass::kIndirect, LeakClass::kPossible, LeakClass::kReachable}) {
    if (name == NameOf(leak_class)) leak->leak_class = leak_class;
  }
  return ReadStack(frames, &leak->frames);
}

}  // namespace

absl::StatusOr<std::vector<Leak>> LeaksOfJsonReport(absl::string_view text, const std::string& path) {
  const std::string name = Escaped(path);
  const json report = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (report.is_discarded()) {
    return absl::InvalidArgumentError(absl::StrCat("'", name, "' is not whole JSON: it was cut off or damaged"));
  }
  if (!report.is_object() || TextAt(report, "schema") != "mallocspy-report/1") {
    return absl::InvalidArgumentError(
        absl::StrCat("'", name, "' is JSON, but no report of mallocspy (schema mallocspy-report/1)"));
  }
  const absl::Status damaged =
      absl::InvalidArgumentError(absl::StrCat("'", name, "' contradicts the schema mallocspy-report/1"));
  std::vector<Leak> leaks;
  std::vector<const json*> processes{&report};
  while (!processes.empty()) {
    const json& process = *processes.back();
    processes.pop_back();
    if (!process.is_object()) return damaged;
    if (process.contains("leaks_omitted")) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", name, "' was made with --top and does not list every leak; make it again without"));
    }
    const json& listed = At(process, "leaks");
    const json& children = At(process, "children");
    if (!listed.is_array() || !children.is_array()) return damaged;
    for (const json& child : children) processes.push_back(&child);
    const json& exit = At(At(process, "process"), "exit");
    if (exit.is_object() && exit.contains("exec")) continue;  // what exec replaced held no leaks
    for (const json& value : listed) {
      Leak leak;
      if (!ReadLeak(value, &leak)) return damaged;
      if (leak.suppressed_by.empty()) leaks.push_back(std::move(leak));
    }
  }
  return leaks;
}

}  // namespace mallocspy
