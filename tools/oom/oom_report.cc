#include "tools/oom/oom_report.h"

#include <algorithm>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/oom/trial_json.h"
#include "tools/report/json_parts.h"
#include "tools/report/text_stack.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"
#include "tools/wording/markup.h"

namespace mallocspy {
namespace {

constexpr Outcome kWorstFirst[] = {Outcome::kCrashed, Outcome::kHung,    Outcome::kMisused,
                                   Outcome::kLeaked,  Outcome::kHandled, Outcome::kUnreached};

uint64_t CountOf(const Campaign& campaign, Outcome outcome) {
  return static_cast<uint64_t>(std::count_if(campaign.trials.begin(), campaign.trials.end(),
                                             [outcome](const Trial& trial) { return trial.outcome == outcome; }));
}

std::string ProgramName(const Campaign& campaign) {
  return Escaped(campaign.program.substr(campaign.program.rfind('/') + 1));  // npos + 1 is 0
}

std::string FailedText(const FailingStack& failed) {
  return absl::StrCat(failed.door.empty() ? "an allocation" : failed.door, " of ", Count(failed.bytes, "byte"));
}

std::string EndText(const RunResult& result) {
  if (result.hung) return "it had not ended when its time was over";
  if (result.signal != 0) return absl::StrCat("killed by ", SignalName(result.signal));
  return absl::StrCat("ended with status ", result.exit_code);
}

// "crashed (SIGSEGV) when malloc of 24 bytes failed"
std::string Headline(const Trial& trial) {
  std::string how;
  if (trial.outcome == Outcome::kCrashed) how = absl::StrCat(" (", SignalName(trial.result.signal), ")");
  if (trial.outcome == Outcome::kMisused) how = absl::StrCat(" the heap (", Count(trial.result.errors.size(), "error"), ")");
  if (trial.outcome == Outcome::kLeaked) {
    how = trial.result.leaks.empty() ? absl::StrCat(" (", Count(trial.result.live_blocks, "block"), " live at the end)")
                                     : absl::StrCat(" (", Count(trial.result.lost_blocks, "block"), " lost)");
  }
  return absl::StrCat(NameOf(trial.outcome), how, " when ", FailedText(trial.failed), " failed");
}

// The stacks that explain it.
std::string Explanation(const Trial& trial) {
  std::string text = "  the allocation that failed:\n";
  AppendStack(trial.failed.frames, &text);
  if (!trial.result.struck.empty()) {
    absl::StrAppend(&text, trial.result.hung ? "  where it was then:\n" : "  killed here:\n");
    AppendStack(trial.result.struck, &text);
  }
  for (const Problem& error : trial.result.errors) {
    absl::StrAppend(&text, "  ", Escaped(error.headline), "\n");
    AppendStack(error.frames, &text);
  }
  if (trial.outcome == Outcome::kLeaked) {
    for (const Problem& leak : trial.result.leaks) {
      absl::StrAppend(&text, "  ", Escaped(leak.headline), "\n");
      AppendStack(leak.frames, &text);
    }
  }
  return text;
}

bool IsOfLibc(const Frame& frame) {
  const absl::string_view file = absl::string_view(frame.module).substr(frame.module.rfind('/') + 1);  // npos + 1 is 0
  return absl::StartsWith(file, "libc.so") || absl::StartsWith(file, "ld-linux");
}

// What trials have in common that a reader takes for the same: how they ended, and the innermost functions of the program there.
std::string SameEnd(const Trial& trial) {
  constexpr int kFunctions = 2;
  const std::vector<Frame>* frames = &trial.result.struck;
  if (trial.outcome == Outcome::kMisused && !trial.result.errors.empty()) frames = &trial.result.errors[0].frames;
  if (trial.outcome == Outcome::kLeaked && !trial.result.leaks.empty()) frames = &trial.result.leaks[0].frames;
  std::string same = absl::StrCat(NameOf(trial.outcome), " ", trial.result.signal);
  int functions = 0;
  for (const Frame& frame : *frames) {
    if (IsOfLibc(frame)) continue;
    absl::StrAppend(&same, "\n", frame.module, " ", frame.function, frame.function.empty() ? absl::StrCat(frame.offset) : "");
    if (++functions == kFunctions) break;
  }
  return functions == 0 ? absl::StrCat(same, " ", trial.failed.id) : same;
}

void AppendGroup(const Campaign& campaign, const std::vector<const Trial*>& group, const Palette& palette, std::string* text) {
  constexpr size_t kMostCommands = 5;
  const Trial& first = *group[0];
  absl::StrAppend(text, palette.error, Headline(first), palette.reset);
  if (group.size() > 1) absl::StrAppend(text, ", and likewise at ", Count(group.size() - 1, "other stack"));
  absl::StrAppend(text, "\n", Explanation(first), "  again: ", RepeatCommand(campaign, first.failed), "\n");
  for (size_t i = 1; i < group.size() && i <= kMostCommands; ++i) {
    absl::StrAppend(text, "  likewise when ", FailedText(group[i]->failed), " failed: stack=", group[i]->failed.id, "\n");
  }
  if (group.size() > kMostCommands + 1) {
    absl::StrAppend(text, "  ... and ", Count(group.size() - kMostCommands - 1, "other"), ", which a report in JSON lists\n");
  }
  absl::StrAppend(text, "\n");
}

}  // namespace

Outcome WorstOutcome(const Campaign& campaign) {
  Outcome worst = Outcome::kUnreached;
  for (const Trial& trial : campaign.trials) worst = std::max(worst, trial.outcome);
  return worst;
}

std::string OomAnswer(const Campaign& campaign) {
  std::vector<std::string> outcomes;
  for (const Outcome outcome : {Outcome::kHandled, Outcome::kCrashed, Outcome::kHung, Outcome::kLeaked, Outcome::kMisused}) {
    outcomes.push_back(absl::StrCat(CountOf(campaign, outcome), " ", NameOf(outcome)));
  }
  const uint64_t unreached = CountOf(campaign, Outcome::kUnreached);
  if (unreached != 0) outcomes.push_back(absl::StrCat(unreached, " not reached again"));
  return absl::StrCat(campaign.trials.size(), " of ", Count(campaign.stacks, "allocating call stack"), " of ", ProgramName(campaign),
                      " failed once each: ", absl::StrJoin(outcomes, ", "));
}

std::string OomText(const Campaign& campaign, const Palette& palette) {
  const bool good = WorstOutcome(campaign) <= Outcome::kHandled;
  std::string text = absl::StrCat(good ? palette.good : palette.error, "mallocspy oom: ", OomAnswer(campaign), palette.reset, "\n");
  for (const std::string& note : campaign.notes) absl::StrAppend(&text, "  note: ", Escaped(note), "\n");
  absl::StrAppend(&text, "\n");
  for (const Outcome outcome : kWorstFirst) {
    if (outcome == Outcome::kHandled) break;
    std::vector<std::vector<const Trial*>> groups;
    std::map<std::string, size_t> known;
    for (const Trial& trial : campaign.trials) {
      if (trial.outcome != outcome) continue;
      const auto [at, added] = known.try_emplace(SameEnd(trial), groups.size());
      if (added) groups.emplace_back();
      groups[at->second].push_back(&trial);
    }
    // A program that aborts may have given up on purpose; other signals are what nobody wanted.
    std::stable_partition(groups.begin(), groups.end(),
                          [](const std::vector<const Trial*>& group) { return group[0]->result.signal != SIGABRT; });
    for (const std::vector<const Trial*>& group : groups) AppendGroup(campaign, group, palette, &text);
  }
  absl::StrAppend(&text, palette.faint, "Without a failure it ", campaign.baseline.signal != 0 ? "was " : "", EndText(campaign.baseline), ", with ",
                  Count(campaign.baseline.live_blocks, "block"), " live, ", campaign.baseline.lost_blocks, " of them lost.", palette.reset, "\n");
  return text;
}

std::string OomJson(const Campaign& campaign) {
  nlohmann::ordered_json json;
  json["schema"] = "mallocspy-oom/1";
  json["program"] = JsonText(campaign.program);
  json["arguments"] = nlohmann::ordered_json::array();
  for (const std::string& argument : campaign.arguments) json["arguments"].push_back(JsonText(argument));
  json["baseline"] = RunResultJson(campaign.baseline);
  json["summary"] = {{"stacks", campaign.stacks}, {"chosen", campaign.chosen}, {"tried", campaign.trials.size()}};
  for (const Outcome outcome : kWorstFirst) json["summary"][std::string(NameOf(outcome))] = CountOf(campaign, outcome);
  json["notes"] = nlohmann::ordered_json::array();
  for (const std::string& note : campaign.notes) json["notes"].push_back(JsonText(note));
  json["outcomes"] = nlohmann::ordered_json::array();
  for (const Trial& trial : campaign.trials) json["outcomes"].push_back(TrialJson(campaign, trial));
  return json.dump(1) + "\n";
}

std::string OomJunit(const Campaign& campaign, const JunitStamp& stamp) {
  std::string cases;
  uint64_t failures = 0;
  uint64_t skipped = 0;
  for (const Trial& trial : campaign.trials) {
    std::string function = "unknown code";
    for (const Frame& frame : trial.failed.frames) {
      if (frame.function.empty()) continue;
      function = frame.function;
      break;
    }
    absl::StrAppend(&cases, "    <testcase classname=\"mallocspy.oom.", MarkupAttribute(ProgramName(campaign)), "\" name=\"",
                    MarkupAttribute(absl::StrCat(FailedText(trial.failed), " fails in ", function, ", stack ", trial.failed.id)), "\" time=\"0\"");
    if (trial.outcome == Outcome::kHandled) {
      absl::StrAppend(&cases, "/>\n");
    } else if (trial.outcome == Outcome::kUnreached) {
      ++skipped;
      absl::StrAppend(&cases, ">\n      <skipped/>\n    </testcase>\n");
    } else {
      ++failures;
      absl::StrAppend(&cases, ">\n      <failure type=\"", NameOf(trial.outcome), "\" message=\"", MarkupAttribute(Headline(trial)), "\">",
                      MarkupText(absl::StrCat(Explanation(trial), "  again: ", RepeatCommand(campaign, trial.failed), "\n")),
                      "</failure>\n    </testcase>\n");
    }
  }
  const auto property = [](absl::string_view name, absl::string_view value) {
    return absl::StrCat("      <property name=\"", name, "\" value=\"", MarkupAttribute(value), "\"/>\n");
  };
  std::string properties = absl::StrCat("    <properties>\n", property("exe", campaign.program));
  for (const std::string& argument : campaign.arguments) absl::StrAppend(&properties, property("argument", argument));
  return absl::StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite id=\"0\" package=\"mallocspy\" name=\"oom ",
                      MarkupAttribute(ProgramName(campaign)), "\" timestamp=\"", MarkupAttribute(stamp.time), "\" hostname=\"",
                      MarkupAttribute(stamp.host), "\" tests=\"", campaign.trials.size(), "\" failures=\"", failures,
                      "\" errors=\"0\" skipped=\"", skipped, "\" time=\"0\">\n", properties, "    </properties>\n", cases,
                      "    <system-out>", MarkupText(absl::StrCat("mallocspy oom: ", OomAnswer(campaign))),
                      "</system-out>\n    <system-err></system-err>\n  </testsuite>\n</testsuites>\n");
}

}  // namespace mallocspy
