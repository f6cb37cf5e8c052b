// What a result of the SARIF report can be of: a rule for each class of leak and each kind of heap error.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

class SarifRules {
 public:
  SarifRules();

  static std::string LeakRule(LeakClass leak_class);  // "leak-definite"
  // The place of a rule among all(); one that is not known becomes known.
  uint64_t IndexOf(const std::string& id);
  const nlohmann::ordered_json& all() const { return rules_; }

 private:
  void Add(const std::string& id, absl::string_view description, absl::string_view level);

  nlohmann::ordered_json rules_ = nlohmann::ordered_json::array();
  absl::flat_hash_map<std::string, uint64_t> indices_;
};

// "error", "warning" or "note".
absl::string_view SarifLevel(LeakClass leak_class);

}  // namespace mallocspy
