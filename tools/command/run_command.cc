#include "tools/command/run_command.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/command/acceptance.h"
#include "tools/command/complaint.h"
#include "tools/command/help.h"
#include "tools/command/library_options.h"
#include "tools/command/report_writing.h"
#include "tools/command/self_test.h"
#include "tools/command/settings.h"
#include "tools/reader/reader.h"
#include "tools/report/report_sink.h"
#include "tools/run/executable.h"
#include "tools/run/kept_file.h"
#include "tools/run/program.h"
#include "tools/run/program_environment.h"
#include "tools/run/program_path.h"
#include "tools/run/run_directory.h"
#include "tools/run/run_ledgers.h"
#include "tools/run/run_notes.h"
#include "tools/run/shipped_library.h"
#include "tools/verdict/assessment.h"
#include "tools/verdict/built_in_suppressions.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

// The status that a shell would show, or our own death by the signal that killed the program.
int EndLike(int wait_status) {
  if (!WIFSIGNALED(wait_status)) return WEXITSTATUS(wait_status);
  DieBySignal(WTERMSIG(wait_status));
  return 128 + WTERMSIG(wait_status);
}

// The program was found before, so what is missing is what it needs.
int ExecutionFailed(const absl::Status& status) {
  Complain(absl::StrCat(status.message(), absl::IsNotFound(status)
                                              ? ": the interpreter in its #! line, or its ELF loader, does not exist"
                                              : ""));
  return kExitNotExecutable;
}

// For a program of which nothing can be recorded.
int RunPlainly(const std::string& path, const Settings& settings) {
  Program program;
  const absl::StatusOr<ProgramEnd> end = program.Run(path, settings.arguments, PlainEnvironment(environ));
  program.Release();
  return end.ok() ? EndLike(end->wait_status) : ExecutionFailed(end.status());
}

// The check cannot run because of `why`: refuses, or goes on without it if no finding could fail anyway.
int NotChecked(absl::string_view why, const std::string& path, const Settings& settings) {
  if (!settings.fail_on.none()) {
    Complain(absl::StrCat(why, "; it was not run (--fail-on=none runs it unchecked)"));
    return kExitIncomplete;
  }
  Complain(absl::StrCat("warning: ", why, "; it runs unchecked"));
  return RunPlainly(path, settings);
}

struct Recording {
  std::vector<Findings> findings;  // one
  bool complete = true;  // all that was asked for was done
  int wait_status = 0;
  std::vector<Snapshot> snapshots;  // for a page; those that can be read
};

// Runs the program with the library in it and finds out what it recorded. The error says why it could not be executed.
absl::StatusOr<Recording> Record(const std::string& path, const Settings& settings, Preload preload,
                                 const Acceptance& acceptance, FrameNamer* namer) {
  Program program;
  absl::StatusOr<RunDirectory> directory = RunDirectory::Create();
  if (!directory.ok()) return directory.status();
  const absl::StatusOr<std::string> library = PreloadablePath(preload.library, directory->path());
  if (!library.ok()) return library.status();
  preload.library = *library;
  preload.run_directory = directory->path();
  const absl::StatusOr<ProgramEnd> end = program.Run(path, settings.arguments, ProgramEnvironment(environ, preload));
  directory->RemoveOnSignals();
  program.Release();
  if (!end.ok()) return end.status();

  std::signal(SIGPIPE, SIG_IGN);  // a report that nobody reads any more is an error like a full disk
  const RunDescription description = {end->pid,           end->wait_status, path,
                                      settings.arguments, settings.follow,  ListRunNotes(directory->path())};
  const std::vector<RunLedger> ledgers = ListLedgers(directory->path(), end->pid);
  Recording recording;
  recording.wait_status = end->wait_status;
  if (!settings.keep.empty()) {
    const absl::Status kept = KeepLedgers(settings.keep, ledgers);
    if (!kept.ok()) Complain(Escaped(std::string(kept.message())));
    recording.complete = kept.ok();
  }
  recording.findings.push_back(AssessRun(ledgers, description, acceptance.leaks_to_name(), namer));
  for (size_t i = 0; settings.wants_page() && i < ledgers.size(); ++i) {
    if (absl::StatusOr<Snapshot> snapshot = ReadSnapshotFile(ledgers[i].path); snapshot.ok()) {
      recording.snapshots.push_back(*std::move(snapshot));
    }
  }
  return recording;
}

int FinalStatus(const Recording& recording, const Settings& settings, const Acceptance& acceptance) {
  const Findings& findings = recording.findings[0];
  if (settings.fail_on.none()) return EndLike(recording.wait_status);
  // The status is the library's or a spy's then, not the program's, which was never started.
  if (findings.verdict.not_started) return kExitIncomplete;
  if (!WIFEXITED(recording.wait_status)) return EndLike(recording.wait_status);
  if (WEXITSTATUS(recording.wait_status) != 0) return WEXITSTATUS(recording.wait_status);
  if (!recording.complete) return kExitIncomplete;
  return acceptance.Strict(settings.fail_on.ExitStatus(findings), findings.suppressions);
}

}  // namespace

int RunCommand(const std::vector<std::string>& arguments) {
  const absl::StatusOr<Settings> settings = ParseSettings(Command::kRun, arguments);
  if (!settings.ok()) return UsageError(settings.status().message(), "run");
  if (settings->help) return PrintHelp("run");
  if (settings->self_test) {
    if (!settings->arguments.empty()) return UsageError("--self-test runs a program of its own and takes none", "run");
    return SelfTest();
  }
  if (settings->show_suppressions) {
    return WriteAll(STDOUT_FILENO, BuiltInSuppressionsText()).ok() ? kExitClean : kExitIncomplete;
  }
  if (settings->arguments.empty()) return UsageError("run needs a program: mallocspy run -- PROGRAM ARG...", "run");
  const char* const library_options = std::getenv("MALLOCSPY_OPTIONS");
  const std::string problem = LibraryOptionsProblem(library_options != nullptr ? library_options : "");
  if (!problem.empty()) return UsageError(problem, "run");

  const absl::StatusOr<Acceptance> acceptance = Acceptance::Read(*settings);
  if (!acceptance.ok()) {
    Complain(acceptance.status().message());
    return kExitUsage;
  }

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
  if (!library.ok()) return NotChecked(library.status().message(), program.path, *settings);
  Preload preload;
  preload.library = *library;
  preload.follow = settings->follow;
  preload.ownership = settings->ownership;
  preload.on_error = settings->on_error;
  for (const std::string& spy : settings->spies) {
    const absl::StatusOr<std::string> resolved = ResolveSpy(spy, *library);
    if (!resolved.ok()) return UsageError(resolved.status().message(), "run");
    preload.spies.push_back(*resolved);
  }
  const std::string obstacle = WhyNotRecordable(program.path);
  if (!obstacle.empty()) {
    return NotChecked(absl::StrCat("'", Escaped(program.path), "' ", obstacle), program.path, *settings);
  }

  FrameNamer namer(isatty(STDERR_FILENO) == 1);
  absl::StatusOr<Recording> recording = Record(program.path, *settings, std::move(preload), *acceptance, &namer);
  if (!recording.ok()) {
    if (absl::IsUnavailable(recording.status())) {
      return NotChecked(recording.status().message(), program.path, *settings);
    }
    return ExecutionFailed(recording.status());
  }
  namer.EndProgress();
  recording->complete &= acceptance->Apply(Command::kRun, &recording->findings);
  if (const absl::Status judged = settings->judged.Apply(&recording->findings); !judged.ok()) {
    Complain(judged.message());
    recording->complete = false;
  }
  recording->complete &= WriteReport(Command::kRun, *settings, recording->findings, {recording->snapshots, &namer});
  return FinalStatus(*recording, *settings, *acceptance);
}

}  // namespace mallocspy
