// What all documents in JSON are made of: texts and stacks, there and back.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

nlohmann::ordered_json JsonText(absl::string_view text);
nlohmann::ordered_json JsonTextOrNull(absl::string_view text);  // null for ""

nlohmann::ordered_json StackJson(const std::vector<Frame>& frames);

// False if `value` is no stack as StackJson() makes them.
bool ReadStack(const nlohmann::json& value, std::vector<Frame>* frames);

}  // namespace mallocspy
