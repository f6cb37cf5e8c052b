#include "tools/oom/trial_json.h"

#include <gtest/gtest.h>
#include <stdio.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/scratch_directory.h"

namespace mallocspy {
namespace {

Trial Sample() {
  Trial trial;
  trial.failed = {"0123456789abcdef", 24, "malloc", std::vector<Frame>(2)};
  trial.failed.frames[0].function = "Grow";
  trial.failed.frames[0].module = "/lib/libfoo.so";
  trial.failed.frames[0].offset = 77;
  trial.failed.frames[0].line = 5;
  trial.outcome = Outcome::kCrashed;
  trial.result = {.signal = 11, .live_blocks = 3, .live_bytes = 40, .lost_blocks = 1, .lost_bytes = 7};
  trial.result.struck.resize(1);
  trial.result.struck[0].function = "Use";
  trial.result.errors = {{"double-free", {}}};
  trial.result.leaks = {{"lost 1 block", trial.result.struck}};
  return trial;
}

TEST(TrialJson, ThereAndBack) {
  Campaign campaign;
  campaign.arguments = {"program"};
  const std::string text = TrialJson(campaign, Sample()).dump();
  Trial trial;
  ASSERT_TRUE(ReadTrial(nlohmann::json::parse(text), &trial));
  EXPECT_EQ(text, TrialJson(campaign, trial).dump());
  EXPECT_EQ("Grow", trial.failed.frames[0].function);
  EXPECT_EQ(11, trial.result.signal);
  EXPECT_EQ(Outcome::kCrashed, trial.outcome);
}

TEST(TrialJson, WhatContradictsTheSchemaIsRefused) {
  const std::string text = TrialJson({}, Sample()).dump();
  const nlohmann::json good = nlohmann::json::parse(text);
  for (const char* const key : {"outcome", "stack", "bytes", "frames", "hung", "seen", "struck", "live_blocks", "errors", "leaks"}) {
    for (const nlohmann::json& bad : {nlohmann::json(nullptr), nlohmann::json(-1), nlohmann::json("x"), nlohmann::json({1, 2})}) {
      nlohmann::json changed = good;
      changed[key] = bad;
      Trial trial;
      EXPECT_FALSE(ReadTrial(changed, &trial)) << key << " " << bad;
      changed.erase(key);
      Trial other;
      EXPECT_FALSE(ReadTrial(changed, &other)) << key;
    }
  }
  Trial trial;
  EXPECT_FALSE(ReadTrial(nlohmann::json::array(), &trial));
  EXPECT_FALSE(ReadTrial(nlohmann::json("text"), &trial));
}

// What a shell makes of the command's arguments is what they were.
TEST(TrialJson, TheCommandIsForAShell) {
  Campaign campaign;
  campaign.arguments = {"prog", "", "a b", "it's", "$HOME `x` \"q\" \\ *", "tab\there", "line\nbreak'\\", "-n", "~", "#x", "\x01\x7f"};
  const std::string command = RepeatCommand(campaign, Sample().failed);
  EXPECT_EQ(0u, command.find("mallocspy run --follow=none --spy=faults:stack=0123456789abcdef,children=0 -- prog "));
  const std::string words = command.substr(command.find(" -- ") + 4);
  const ScratchDirectory scratch;
  const std::string script = scratch.Write("words.sh", "print() { for word; do printf '%s\\0' \"$word\"; done; }\nprint " + words + "\n");
  FILE* pipe = popen(("bash " + script).c_str(), "r");
  std::string said;
  char buffer[4096];
  for (size_t got; (got = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) said.append(buffer, got);
  pclose(pipe);
  std::string expected;
  for (const std::string& word : campaign.arguments) expected += word + '\0';
  EXPECT_EQ(expected, said) << command;
}

}  // namespace
}  // namespace mallocspy
