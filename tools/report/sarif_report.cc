#include "tools/report/sarif_report.h"

#include <csignal>
#include <nlohmann/json.hpp>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tools/report/acceptance_text.h"
#include "tools/report/error_text.h"
#include "tools/report/leak_text.h"
#include "tools/report/sarif_location.h"
#include "tools/report/sarif_rules.h"
#include "tools/report/summary_text.h"
#include "tools/verdict/leak_id.h"
#include "tools/verdict/process_summary.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kSchema[] = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json";

// Text that may hold words of the program or of a spy, as a message: no placeholder, no link.
std::string MessageText(absl::string_view text) {
  return absl::StrReplaceAll(Escaped(text), {{"{", "{{"}, {"}", "}}"}, {"](", "] ("}});
}

Json Notification(absl::string_view level, absl::string_view text) {
  Json notification;
  notification["level"] = std::string(level);
  notification["message"]["text"] = MessageText(text);
  return notification;
}

absl::string_view SarifBaselineState(BaselineMatch::State state) {
  switch (state) {
    case BaselineMatch::State::kNew:
      return "new";
    case BaselineMatch::State::kGrown:
      return "updated";
    case BaselineMatch::State::kKnown:
      return "unchanged";
  }
  return "new";
}

class SarifLog {
 public:
  explicit SarifLog(SourceRoot* root) : root_(root) {}

  void AddProcess(const Findings* findings) {
    numbers_[findings] = invocations_.size();
    invocations_.push_back(Invocation(*findings));
  }

  // Of processes that were added.
  void AddResults(const ProcessSummary& summary) {
    for (const MergedError& error : summary.errors) AddError(error);
    for (const MergedLeak& leak : summary.leaks) AddLeak(leak);
    for (const MergedLeak& leak : summary.accepted) AddLeak(leak);
  }

  // Results can be many: each is made into text by itself, on a line of its own.
  std::string Text() const {
    Json driver;
    driver["name"] = "mallocspy";
    driver["version"] = MALLOCSPY_VERSION;
    driver["rules"] = rules_.all();
    std::string text = absl::StrCat("{\n\"$schema\": \"", kSchema, "\",\n\"version\": \"2.1.0\",\n\"runs\": [{\n");
    absl::StrAppend(&text, "\"tool\": {\"driver\": ", driver.dump(), "},\n\"invocations\": ", invocations_.dump(),
                    ",\n");
    if (!root_->directory().empty()) {
      const std::string slash = root_->directory() == "/" ? "" : "/";
      const Json bases = {{"%SRCROOT%", {{"uri", FileUri(root_->directory() + slash)}}}};
      absl::StrAppend(&text, "\"originalUriBaseIds\": ", bases.dump(), ",\n");
    }
    return absl::StrCat(text, "\"columnKind\": \"utf16CodeUnits\",\n\"results\": [", results_.empty() ? "" : "\n",
                        absl::StrJoin(results_, ",\n"), "]\n}]\n}\n");
  }

 private:
  Json Invocation(const Findings& findings) const {
    const Process& process = findings.process;
    const bool complete = findings.verdict.judged
                              ? findings.verdict.status != Status::kIncomplete && !findings.verdict.unchecked
                              : !findings.verdict.unseen;
    Json json;
    json["executionSuccessful"] = complete;
    json["processId"] = process.pid;
    if (absl::StartsWith(process.exe, "/")) json["executableLocation"]["uri"] = FileUri(process.exe);
    if (!process.cmdline.empty()) {
      json["commandLine"] = ValidUtf8(absl::StrJoin(process.cmdline, " "));
      json["arguments"] = Json::array();
      for (size_t i = 1; i < process.cmdline.size(); ++i) json["arguments"].push_back(ValidUtf8(process.cmdline[i]));
    }
    if (process.exit.kind == ProcessExit::Kind::kCode) json["exitCode"] = process.exit.value;
    if (process.exit.kind == ProcessExit::Kind::kSignal) {
      json["exitSignalNumber"] = process.exit.value;
      json["exitSignalName"] = SignalName(process.exit.value);
    }
    if (process.exit.kind == ProcessExit::Kind::kExec) {
      json["exitCodeDescription"] = ValidUtf8(absl::StrCat("replaced by ", process.exit.program));
    }
    json["toolExecutionNotifications"] = Notifications(findings, complete ? "note" : "error");
    return json;
  }

  static Json Notifications(const Findings& findings, absl::string_view level) {
    Json notifications = Json::array();
    for (const std::string& sentence : findings.process.degraded) {
      notifications.push_back(Notification(level, sentence));
    }
    if (const std::string unlisted = UnlistedLeaks(findings); !unlisted.empty()) {
      notifications.push_back(Notification("note", absl::StrCat(unlisted, "; --top=N lists more")));
    }
    for (const std::string& sentence : AcceptanceSentences(findings)) {
      notifications.push_back(Notification("note", sentence));
    }
    if (findings.totals.errors_dropped != 0) {
      notifications.push_back(Notification("error", absl::StrCat(Count(findings.totals.errors_dropped, "heap error"),
                                                                 " of which only the number is known")));
    }
    return notifications;
  }

  // What every result has. `fingerprint` is the same for the same finding in another run and build.
  Json Result(const std::string& rule, absl::string_view level, absl::string_view message, uint64_t count,
              const std::string& fingerprint, const Findings* process) {
    Json json;
    json["ruleId"] = ValidUtf8(rule);
    json["ruleIndex"] = rules_.IndexOf(rule);
    json["level"] = std::string(level);
    json["message"]["text"] = MessageText(message);
    json["occurrenceCount"] = count;
    json["partialFingerprints"]["mallocspyId/v1"] = fingerprint;
    json["provenance"]["invocationIndex"] = numbers_[process];
    return json;
  }

  void AddError(const MergedError& merged) {
    const HeapError& error = merged.error;
    const std::vector<NamedStack> stacks = ErrorStacks(error);
    const std::string id = LeakId(Door::kNone, stacks.empty() ? error.where : *stacks[0].frames);
    Json json = Result(error.kind, "error", absl::StrCat(ErrorHeadline(error), InHowMany(merged.in)), error.count,
                       absl::StrCat(error.kind, "-", id), merged.in[0]);
    json["locations"] = Json::array();
    json["relatedLocations"] = Json::array();
    json["stacks"] = Json::array();
    for (const NamedStack& stack : stacks) {
      json["stacks"].push_back(SarifStack(stack.name, *stack.frames, root_));
      Json place = SarifPlace(*stack.frames, root_);
      if (place.empty()) continue;
      if (json["locations"].empty()) {
        json["locations"].push_back(std::move(place));
      } else {
        place["message"]["text"] = std::string(stack.name);
        json["relatedLocations"].push_back(std::move(place));
      }
    }
    results_.push_back(json.dump());
  }

  void AddLeak(const MergedLeak& merged) {
    const Leak& leak = merged.leak;
    // Blocks are counted in the message: occurrenceCount is of the result.
    Json json = Result(SarifRules::LeakRule(leak.leak_class), SarifLevel(leak.leak_class),
                       absl::StrCat(LeakHeadline(leak), InHowMany(merged.in)), 1, leak.id, merged.in[0]);
    json["locations"] = Json::array();
    Json place = SarifPlace(leak.frames, root_);
    if (!place.empty()) json["locations"].push_back(std::move(place));
    json["stacks"] = Json::array({SarifStack("allocated here:", leak.frames, root_)});
    json["properties"] = {{"blocks", leak.blocks}, {"bytes", leak.bytes}, {"processes", merged.in.size()}};
    json["suppressions"] = Json::array();
    if (!leak.suppressed_by.empty()) {
      json["suppressions"].push_back({{"kind", "external"}, {"justification", ValidUtf8(WhyAccepted(leak))}});
    }
    if (leak.baseline.has_value()) json["baselineState"] = std::string(SarifBaselineState(leak.baseline->state));
    results_.push_back(json.dump());
  }

  SourceRoot* const root_;
  SarifRules rules_;
  Json invocations_ = Json::array();
  absl::flat_hash_map<const Findings*, size_t> numbers_;  // of their invocations
  std::vector<std::string> results_;
};

}  // namespace

std::string SarifReport(const std::vector<Findings>& reports, SourceRoot* root) {
  SarifLog log(root);
  for (const Findings* process : EveryProcess(reports)) log.AddProcess(process);
  log.AddResults(Summarize(reports));
  return log.Text();
}

}  // namespace mallocspy
