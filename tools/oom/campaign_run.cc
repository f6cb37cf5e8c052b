#include "tools/oom/campaign_run.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/oom/oom_report.h"
#include "tools/oom/stack_filter.h"
#include "tools/oom/stack_list.h"
#include "tools/reader/reader.h"
#include "tools/run/parallel_runs.h"
#include "tools/run/program_environment.h"
#include "tools/run/run_directory.h"
#include "tools/run/run_ledgers.h"
#include "tools/run/run_notes.h"
#include "tools/verdict/frame_namer.h"
#include "tools/wording/count.h"

namespace mallocspy {
namespace {

constexpr double kSecondsOfFirstRun = 3600;  // unless --timeout says otherwise
constexpr double kLeastSeconds = 10;
constexpr double kTimesFirstRun = 10;

// The line that says how far it is, on a terminal.
class Progress {
 public:
  explicit Progress(bool shown) : shown_(shown) {}
  ~Progress() { Clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Show(const std::string& text) {
    if (!shown_) return;
    std::fprintf(stderr, "\r\x1b[Kmallocspy oom: %s", text.c_str());
    std::fflush(stderr);
    dirty_ = true;
  }
  void Clear() {
    if (dirty_) std::fprintf(stderr, "\r\x1b[K");
    dirty_ = false;
  }

 private:
  const bool shown_;
  bool dirty_ = false;
};

class CampaignRun {
 public:
  CampaignRun(const CampaignPlan& plan, RunDirectory directory, RepeatedInput input, CampaignState* state, Campaign* campaign)
      : plan_(plan), directory_(std::move(directory)), input_(std::move(input)), state_(state), campaign_(campaign),
        namer_(false), progress_(plan.show_progress) {}

  absl::Status Run() {
    const absl::StatusOr<std::string> library = PreloadablePath(plan_.library, directory_.path());
    if (!library.ok()) return library.status();
    library_ = *library;
    directory_.RemoveOnSignals();
    absl::Status status = FindStacks();
    if (!status.ok()) return status;
    std::set<std::string> known;
    for (const Trial& trial : campaign_->trials) known.insert(trial.failed.id);
    std::vector<FailingStack> untried;
    for (FailingStack& stack : stacks_) {
      if (known.count(stack.id) == 0) untried.push_back(std::move(stack));
    }
    if (plan_.fork) {
      status = TryInForks(&untried);
      if (!status.ok()) return status;
    }
    return TryApart(std::move(untried));
  }

 private:
  // The i-th run from now on.
  SideRun Describe(const std::string& spy_arguments, bool follow, uint64_t number) const {
    Preload preload;
    preload.library = library_;
    preload.run_directory = directory_.path();
    preload.follow = follow;
    preload.spies = {absl::StrCat(plan_.faults, ":", spy_arguments)};
    SideRun run = {campaign_->program, campaign_->arguments, ProgramEnvironment(environ, preload)};
    run.environment.push_back(absl::StrCat("OOM_RUN=", number));
    return run;
  }

  // What is recorded of a process that has ended. Its record is removed.
  Findings Assess(pid_t pid, int wait_status) {
    const RunDescription description = {pid, wait_status, campaign_->program, campaign_->arguments, true, ListRunNotes(directory_.path())};
    std::vector<RunLedger> ledgers = ListLedgers(directory_.path(), pid);
    ledgers.erase(std::remove_if(ledgers.begin(), ledgers.end(),
                                 [pid](const RunLedger& ledger) { return ledger.pid != static_cast<uint32_t>(pid); }),
                  ledgers.end());
    std::vector<Findings> findings = {AssessRun(ledgers, description, 0, &namer_)};
    findings[0].children.clear();
    if (plan_.accept) plan_.accept(&findings);
    for (const RunLedger& ledger : ledgers) unlink(ledger.path.c_str());
    return std::move(findings[0]);
  }

  absl::Status FindStacks() {
    progress_.Show("first run, without a failure ...");
    const std::string list = absl::StrCat(directory_.path(), "/stacks");
    std::vector<FailingStack> all;
    absl::Status read = absl::OkStatus();
    bool timed_out = false;
    const double limit = plan_.timeout_seconds != 0 ? static_cast<double>(plan_.timeout_seconds) : kSecondsOfFirstRun;
    const absl::Status ran = RunSideBySide(
        1, 1, limit, input_, [&](size_t) { return Describe(absl::StrCat("list=", list, ",children=0"), false, 0); },
        [&](const SideRunEnd& end) {
          const std::vector<RunLedger> ledgers = ListLedgers(directory_.path(), end.pid);
          // Before the record goes: the numbers in the list are those of its frames.
          read = ledgers.empty() ? absl::NotFoundError("its first run left no record: it may be static, or the loader may refuse the preload")
                                 : NameStacks(list, ledgers[0].path, &all);
          seconds_ = end.seconds;
          timed_out = end.timed_out;
          campaign_->baseline = ResultOf(Assess(end.pid, end.wait_status), end.timed_out);
          return true;
        });
    if (!ran.ok()) return ran;
    if (timed_out) return absl::DeadlineExceededError("the first run had not ended when its time was over; raise --timeout");
    if (!read.ok()) return read;
    if (campaign_->baseline.signal != 0) {
      campaign_->notes.push_back(absl::StrCat("without any failure the program was killed by ", SignalName(campaign_->baseline.signal)));
    }
    campaign_->stacks = all.size();
    for (FailingStack& stack : all) {
      const bool chosen = plan_.within.empty() || std::any_of(plan_.within.begin(), plan_.within.end(), [&stack](const std::string& name) {
        return IsOnStack(name, stack.frames);
      });
      if (chosen) stacks_.push_back(std::move(stack));
    }
    campaign_->chosen = stacks_.size();
    if (stacks_.empty() && !all.empty()) {
      return absl::NotFoundError("no allocation has a function or module of that name on its call stack (--within)");
    }
    if (stacks_.size() > plan_.limit) {
      campaign_->notes.push_back(absl::StrCat(Count(stacks_.size() - plan_.limit, "call stack"), " not tried (--limit)"));
      stacks_.erase(stacks_.begin() + static_cast<std::ptrdiff_t>(plan_.limit), stacks_.end());
    }
    return absl::OkStatus();
  }

  absl::Status NameStacks(const std::string& list, const std::string& ledger, std::vector<FailingStack>* stacks) {
    if (access(list.c_str(), F_OK) != 0) return absl::OkStatus();  // nothing was allocated
    const absl::StatusOr<std::vector<ListedStack>> listed = ReadStackList(list);
    if (!listed.ok()) return listed.status();
    const absl::StatusOr<Snapshot> snapshot = ReadSnapshotFile(ledger);
    if (!snapshot.ok()) return snapshot.status();
    std::map<uint32_t, Door> doors;
    for (const SnapshotStack& stack : snapshot->stacks) doors.emplace(stack.node, stack.door);
    std::set<std::string> known;
    for (const ListedStack& entry : *listed) {
      if (!known.insert(entry.id).second) continue;
      FailingStack& stack = stacks->emplace_back();
      stack.id = entry.id;
      stack.bytes = entry.bytes;
      if (entry.node < snapshot->nodes.size()) stack.frames = namer_.Name(*snapshot, entry.node);
      if (const auto door = doors.find(entry.node); door != doors.end()) stack.door = std::string(NameOf(door->second));
    }
    return absl::OkStatus();
  }

  // Judges one, and keeps it, unless it was not reached and `again`, if given, has room for it.
  absl::Status Finish(const FailingStack& stack, pid_t pid, int wait_status, bool timed_out, std::vector<FailingStack>* again) {
    const Findings findings = Assess(pid, wait_status);
    Trial trial;
    trial.failed = stack;
    trial.result = ResultOf(findings, timed_out);
    trial.outcome = Judge(campaign_->baseline, !findings.injected.empty(), &trial.result);
    if (trial.outcome == Outcome::kUnreached && again != nullptr) {
      again->push_back(stack);
      return absl::OkStatus();
    }
    const absl::Status kept = state_->Add(*campaign_, trial);
    campaign_->trials.push_back(std::move(trial));
    progress_.Show(OomAnswer(*campaign_));
    return kept;
  }

  double LimitSeconds() const {
    return plan_.timeout_seconds != 0 ? static_cast<double>(plan_.timeout_seconds) : kLeastSeconds + kTimesFirstRun * seconds_;
  }

  // What a program does by chance, or by the clock, it may do again.
  absl::Status TryApart(std::vector<FailingStack> stacks) {
    constexpr int kTries = 3;
    absl::Status status;
    for (int i = 1; i <= kTries && !stacks.empty() && status.ok(); ++i) {
      std::vector<FailingStack> again;
      status = TryOnce(stacks, i < kTries ? &again : nullptr);
      stacks = std::move(again);
    }
    return status;
  }

  absl::Status TryOnce(const std::vector<FailingStack>& stacks, std::vector<FailingStack>* again) {
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t jobs = plan_.jobs != 0 ? plan_.jobs : static_cast<size_t>(std::max(1L, processors));
    absl::Status kept;
    const absl::Status ran = RunSideBySide(
        stacks.size(), jobs, LimitSeconds(), input_,
        [&](size_t i) { return Describe(absl::StrCat("stack=", stacks[i].id, ",children=0"), false, i + 1); },
        [&](const SideRunEnd& end) {
          kept.Update(Finish(stacks[end.index], end.pid, end.wait_status, end.timed_out, again));
          return kept.ok();
        });
    kept.Update(ran);
    return kept;
  }

  // Takes those that were tried out of `stacks`.
  absl::Status TryInForks(std::vector<FailingStack>* stacks) {
    if (stacks->empty()) return absl::OkStatus();
    const std::string chosen = absl::StrCat(directory_.path(), "/chosen");
    const std::string forked = absl::StrCat(directory_.path(), "/forked");
    std::ofstream file(chosen);
    for (const FailingStack& stack : *stacks) file << stack.id << "\n";
    file.close();
    if (!file) return absl::UnavailableError(absl::StrCat("cannot write ", chosen));
    const auto child_seconds = static_cast<uint64_t>(LimitSeconds() + 1);
    progress_.Show("a run that forks at each new call stack ...");
    const std::string arguments =
        absl::StrCat("stacks_in=", chosen, ",fork=", forked, ",seconds=", child_seconds, ",children=0");
    absl::Status ran = RunSideBySide(
        1, 1, LimitSeconds() + static_cast<double>(stacks->size() * child_seconds), input_,
        [&](size_t) { return Describe(arguments, true, 1); },
        [&](const SideRunEnd& end) {
          Assess(end.pid, end.wait_status);
          if (end.timed_out) campaign_->notes.emplace_back("the run that forks had not ended when its time was over");
          return true;
        });
    if (!ran.ok() || access(forked.c_str(), F_OK) != 0) return ran;
    const absl::StatusOr<std::vector<ForkedTrial>> trials = ReadForkedTrials(forked);
    if (!trials.ok()) return trials.status();
    for (const ForkedTrial& trial : *trials) {
      const auto stack = std::find_if(stacks->begin(), stacks->end(), [&trial](const FailingStack& one) { return one.id == trial.id; });
      if (trial.pid == 0 || stack == stacks->end()) continue;
      const absl::Status kept = Finish(*stack, trial.pid, trial.wait_status, trial.timed_out, nullptr);
      if (!kept.ok()) return kept;
      stacks->erase(stack);
    }
    return absl::OkStatus();
  }

  const CampaignPlan& plan_;
  RunDirectory directory_;
  RepeatedInput input_;
  CampaignState* const state_;
  Campaign* const campaign_;
  FrameNamer namer_;
  Progress progress_;
  std::string library_;
  double seconds_ = 0;  // of the first run
  std::vector<FailingStack> stacks_;
};

}  // namespace

absl::Status RunCampaign(const CampaignPlan& plan, CampaignState* state, Campaign* campaign) {
  bool nothing_came;
  absl::StatusOr<RepeatedInput> input = RepeatedInput::FromStandardInput(&nothing_came);
  if (!input.ok()) return input.status();
  if (nothing_came) {
    campaign->notes.emplace_back("nothing came from the standard input, a pipe that is open; the program read an empty one (</dev/null says so at once)");
  }
  absl::StatusOr<RunDirectory> directory = RunDirectory::Create();
  if (!directory.ok()) return directory.status();
  return CampaignRun(plan, *std::move(directory), *std::move(input), state, campaign).Run();
}

}  // namespace mallocspy
