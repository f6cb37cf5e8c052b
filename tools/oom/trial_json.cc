#include "tools/oom/trial_json.h"

#include <cstdint>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tools/report/json_parts.h"

namespace mallocspy {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

ordered_json ProblemsJson(const std::vector<Problem>& problems) {
  ordered_json list = ordered_json::array();
  for (const Problem& problem : problems) {
    list.push_back({{"what", JsonText(problem.headline)}, {"frames", StackJson(problem.frames)}});
  }
  return list;
}

bool ReadProblems(const json& object, const char* key, std::vector<Problem>* problems) {
  const auto list = object.find(key);
  if (list == object.end() || !list->is_array()) return false;
  for (const json& value : *list) {
    if (!value.is_object() || !value.contains("what") || !value["what"].is_string() || !value.contains("frames")) return false;
    Problem& problem = problems->emplace_back();
    problem.headline = value["what"].get<std::string>();
    if (!ReadStack(value["frames"], &problem.frames)) return false;
  }
  return true;
}

bool ReadNumber(const json& object, const char* key, uint64_t most, uint64_t* number) {
  const auto value = object.find(key);
  if (value == object.end() || !value->is_number_unsigned() || value->get<uint64_t>() > most) return false;
  *number = value->get<uint64_t>();
  return true;
}

// Null is 0.
bool ReadSmall(const json& object, const char* key, int* number) {
  if (object.contains(key) && object[key].is_null()) return true;
  uint64_t value;
  if (!ReadNumber(object, key, 255, &value)) return false;
  *number = static_cast<int>(value);
  return true;
}

std::string ShellWord(const std::string& word) {
  bool plain = !word.empty();
  for (const char c : word) {
    plain = plain && (absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::string_view("_-+=./,:@%").find(c) != absl::string_view::npos);
  }
  if (plain) return word;
  bool control = false;
  for (const char c : word) control = control || absl::ascii_iscntrl(static_cast<unsigned char>(c));
  if (!control) return absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
  std::string quoted = "$'";
  for (const char c : word) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      const auto byte = static_cast<unsigned>(static_cast<unsigned char>(c));
      absl::StrAppend(&quoted, "\\", byte >> 6, byte >> 3 & 7, byte & 7);
    } else if (c == '\'' || c == '\\') {
      absl::StrAppend(&quoted, "\\", std::string(1, c));
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace

ordered_json RunResultJson(const RunResult& result) {
  ordered_json json;
  json["exit_code"] = result.signal == 0 && !result.hung ? ordered_json(result.exit_code) : ordered_json(nullptr);
  json["signal"] = result.signal != 0 ? ordered_json(result.signal) : ordered_json(nullptr);
  json["hung"] = result.hung;
  json["seen"] = result.seen;
  json["struck"] = StackJson(result.struck);
  json["live_blocks"] = result.live_blocks;
  json["live_bytes"] = result.live_bytes;
  json["lost_blocks"] = result.lost_blocks;
  json["lost_bytes"] = result.lost_bytes;
  json["errors"] = ProblemsJson(result.errors);
  json["leaks"] = ProblemsJson(result.leaks);
  return json;
}

ordered_json TrialJson(const Campaign& campaign, const Trial& trial) {
  ordered_json json;
  json["outcome"] = NameOf(trial.outcome);
  json["stack"] = trial.failed.id;
  json["bytes"] = trial.failed.bytes;
  json["door"] = JsonTextOrNull(trial.failed.door);
  json["frames"] = StackJson(trial.failed.frames);
  json.update(RunResultJson(trial.result));
  json["repeat"] = JsonText(RepeatCommand(campaign, trial.failed));
  return json;
}

bool ReadRunResult(const json& value, RunResult* result) {
  if (!value.is_object()) return false;
  for (const char* const flag : {"hung", "seen"}) {
    if (!value.contains(flag) || !value[flag].is_boolean()) return false;
  }
  result->hung = value["hung"].get<bool>();
  result->seen = value["seen"].get<bool>();
  return ReadSmall(value, "exit_code", &result->exit_code) && ReadSmall(value, "signal", &result->signal) && value.contains("struck") &&
         ReadStack(value["struck"], &result->struck) && ReadNumber(value, "live_blocks", UINT64_MAX, &result->live_blocks) &&
         ReadNumber(value, "live_bytes", UINT64_MAX, &result->live_bytes) &&
         ReadNumber(value, "lost_blocks", UINT64_MAX, &result->lost_blocks) &&
         ReadNumber(value, "lost_bytes", UINT64_MAX, &result->lost_bytes) && ReadProblems(value, "errors", &result->errors) &&
         ReadProblems(value, "leaks", &result->leaks);
}

bool ReadTrial(const json& value, Trial* trial) {
  if (!ReadRunResult(value, &trial->result)) return false;
  for (const char* const key : {"outcome", "stack"}) {
    if (!value.contains(key) || !value[key].is_string()) return false;
  }
  const std::optional<Outcome> outcome = OutcomeNamed(value["outcome"].get<std::string>());
  trial->failed.id = value["stack"].get<std::string>();
  if (!outcome.has_value() || !IsStackId(trial->failed.id)) return false;
  trial->outcome = *outcome;
  if (value.contains("door") && value["door"].is_string()) trial->failed.door = value["door"].get<std::string>();
  return ReadNumber(value, "bytes", UINT64_MAX, &trial->failed.bytes) && value.contains("frames") &&
         ReadStack(value["frames"], &trial->failed.frames);
}

std::string RepeatCommand(const Campaign& campaign, const FailingStack& failed) {
  std::string command = absl::StrCat("mallocspy run --follow=none --spy=faults:stack=", failed.id, ",children=0 --");
  for (size_t i = 0; i < campaign.arguments.size(); ++i) absl::StrAppend(&command, " ", ShellWord(campaign.arguments[i]));
  return command;
}

}  // namespace mallocspy
