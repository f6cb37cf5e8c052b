// Trials in JSON: of the report and of the state file, there and back.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/oom/trial.h"

namespace mallocspy {

nlohmann::ordered_json RunResultJson(const RunResult& result);
nlohmann::ordered_json TrialJson(const Campaign& campaign, const Trial& trial);

// False if they contradict the schema.
bool ReadRunResult(const nlohmann::json& value, RunResult* result);
bool ReadTrial(const nlohmann::json& value, Trial* trial);

// What makes this trial's failure happen again, for a shell.
std::string RepeatCommand(const Campaign& campaign, const FailingStack& failed);

}  // namespace mallocspy
