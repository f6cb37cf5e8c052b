#include "tools/command/oom_command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/command/acceptance.h"
#include "tools/command/complaint.h"
#include "tools/command/help.h"
#include "tools/command/library_options.h"
#include "tools/command/oom_settings.h"
#include "tools/command/run_command.h"
#include "tools/oom/campaign_run.h"
#include "tools/oom/campaign_state.h"
#include "tools/oom/oom_report.h"
#include "tools/report/report_sink.h"
#include "tools/run/executable.h"
#include "tools/run/program_path.h"
#include "tools/run/shipped_library.h"
#include "tools/verdict/fail_on.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

int Refuse(absl::string_view why) {
  Complain(why);
  return kExitUsage;
}

// Runs the program of a file again, in view, with one of its failures.
int Repeat(const OomSettings& settings) {
  const absl::StatusOr<Campaign> campaign = ReadCampaign(settings.repeat);
  if (!campaign.ok()) return Refuse(campaign.status().message());
  const Trial* chosen = nullptr;
  for (const Trial& trial : campaign->trials) {
    const bool wanted = settings.stack.empty() ? trial.outcome > Outcome::kHandled : trial.failed.id == settings.stack;
    if (wanted && (chosen == nullptr || trial.outcome > chosen->outcome)) chosen = &trial;
  }
  if (chosen == nullptr) {
    return Refuse(absl::StrCat("'", Escaped(settings.repeat), "' has no failure ",
                               settings.stack.empty() ? "that was not handled; --stack=ID repeats any" : "of that stack"));
  }
  std::vector<std::string> arguments = {"--follow=none", absl::StrCat("--spy=faults:stack=", chosen->failed.id, ",children=0"), "--"};
  arguments.insert(arguments.end(), campaign->arguments.begin(), campaign->arguments.end());
  return RunCommand(arguments);
}

bool Write(const OomSettings& settings, const Campaign& campaign) {
  bool complete = true;
  for (const ReportOutput& output : settings.outputs) {
    const bool to_output = output.path.empty() || output.path == "-";
    const Palette& palette = to_output ? PaletteFor(STDOUT_FILENO) : kPlain;
    const std::string report = output.format == Format::kJson    ? OomJson(campaign)
                               : output.format == Format::kJunit ? OomJunit(campaign, JunitStamp::Now())
                                                                 : OomText(campaign, palette);
    const absl::Status written = to_output ? WriteAll(STDOUT_FILENO, report) : WriteReportFile(output.path, report);
    if (written.ok()) continue;
    complete = false;
    Complain(absl::StrCat("the report could not be written to ", to_output ? "standard output" : Escaped(output.path), " (",
                          written.message(), "): nobody sees what was found"));
  }
  return complete;
}

int StatusFor(const Campaign& campaign) {
  switch (WorstOutcome(campaign)) {
    case Outcome::kCrashed:
    case Outcome::kHung:
    case Outcome::kMisused:
      return kExitErrors;
    case Outcome::kLeaked:
      return kExitLeaks;
    case Outcome::kHandled:
    case Outcome::kUnreached:
      break;
  }
  return kExitClean;
}

}  // namespace

int OomCommand(const std::vector<std::string>& arguments) {
  const absl::StatusOr<OomSettings> settings = ParseOomSettings(arguments);
  if (!settings.ok()) return UsageError(settings.status().message(), "oom");
  if (settings->help) return PrintHelp("oom");
  if (!settings->repeat.empty()) return Repeat(*settings);
  if (settings->arguments.empty()) return UsageError("oom needs a program: mallocspy oom -- PROGRAM ARG...", "oom");
  const char* const library_options = std::getenv("MALLOCSPY_OPTIONS");
  const std::string problem = LibraryOptionsProblem(library_options != nullptr ? library_options : "");
  if (!problem.empty()) return UsageError(problem, "oom");

  const ProgramPath program = FindProgram(settings->arguments[0], std::getenv("PATH"));
  if (program.path.empty()) {
    Complain(program.problem);
    return program.exit_status;
  }
  if (const std::string defect = WhyNotExecutable(program.path); !defect.empty()) {
    Complain(absl::StrCat("cannot run '", Escaped(program.path), "': ", defect));
    return kExitNotExecutable;
  }
  const absl::StatusOr<std::string> library = FindLibrary();
  if (!library.ok()) {
    Complain(library.status().message());
    return kExitIncomplete;
  }
  const absl::StatusOr<std::string> faults = ResolveSpy("faults", *library);
  if (!faults.ok()) return UsageError(faults.status().message(), "oom");
  if (const std::string obstacle = WhyNotRecordable(program.path); !obstacle.empty()) {
    Complain(absl::StrCat("'", Escaped(program.path), "' ", obstacle));
    return kExitIncomplete;
  }
  const absl::StatusOr<Acceptance> acceptance = Acceptance::Read(Settings());
  if (!acceptance.ok()) return Refuse(acceptance.status().message());

  Campaign campaign;
  campaign.program = program.path;
  campaign.arguments = settings->arguments;
  CampaignState state;
  if (!settings->state.empty()) {
    absl::StatusOr<CampaignState> opened = CampaignState::Open(settings->state, &campaign);
    if (!opened.ok()) return Refuse(opened.status().message());
    state = *std::move(opened);
  }
  CampaignPlan plan;
  plan.library = *library;
  plan.faults = *faults;
  plan.within = settings->within;
  plan.limit = settings->limit;
  plan.timeout_seconds = settings->timeout_seconds;
  plan.jobs = settings->jobs;
  plan.fork = settings->fork;
  plan.show_progress = isatty(STDERR_FILENO) == 1;
  plan.accept = [&acceptance](std::vector<Findings>* findings) { acceptance->Apply(Command::kRun, findings); };
  const absl::Status ran = RunCampaign(plan, &state, &campaign);
  if (!ran.ok()) {
    Complain(Escaped(std::string(ran.message())));
    campaign.notes.push_back(absl::StrCat("not everything was tried: ", ran.message()));
    if (campaign.trials.empty()) return kExitIncomplete;
  }
  const bool told = Write(*settings, campaign);
  const int status = StatusFor(campaign);
  return status == kExitClean && !(ran.ok() && told) ? kExitIncomplete : status;
}

}  // namespace mallocspy
