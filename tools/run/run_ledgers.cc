#include "tools/run/run_ledgers.h"

#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/reader/reader.h"
#include "tools/run/directory_listing.h"
#include "tools/verdict/assessment.h"

namespace mallocspy {
namespace {

bool ParseName(const char* name, RunLedger* ledger) {
  int end = 0;
  return std::sscanf(name, "%u.%u.mspy%n", &ledger->pid, &ledger->image, &end) == 2 && end != 0 && name[end] == '\0';
}

// One that has ended may stay a zombie for as long as nobody asks for its status.
bool IsRunning(uint32_t pid) {
  if (kill(static_cast<pid_t>(pid), 0) != 0 && errno != EPERM) return false;
  std::string line;
  std::getline(std::ifstream(absl::StrCat("/proc/", pid, "/stat")), line);
  const size_t name_end = line.rfind(") ");
  return name_end == std::string::npos || (line[name_end + 2] != 'Z' && line[name_end + 2] != 'X');
}

bool HasLaterImage(const std::vector<RunLedger>& ledgers, const RunLedger& ledger) {
  return std::any_of(ledgers.begin(), ledgers.end(), [&ledger](const RunLedger& other) {
    return other.pid == ledger.pid && other.image > ledger.image;
  });
}

// What is known of a process without its ledger.
Findings WithoutLedger(uint32_t pid, const RunDescription& run, absl::string_view why) {
  Findings findings;
  findings.process.pid = pid;
  if (pid == static_cast<uint32_t>(run.pid)) {
    const bool killed = WIFSIGNALED(run.wait_status);
    findings.process.exe = run.program;
    findings.process.cmdline = run.arguments;
    findings.process.exit.kind = killed ? ProcessExit::Kind::kSignal : ProcessExit::Kind::kCode;
    findings.process.exit.value = killed ? WTERMSIG(run.wait_status) : WEXITSTATUS(run.wait_status);
  }
  findings.process.degraded.emplace_back(why);
  findings.verdict.unchecked = findings.verdict.unseen = true;
  findings.verdict.status = Status::kIncomplete;
  return findings;
}

const RunNote* NoteOf(const RunDescription& run, pid_t pid) {
  const auto note = run.notes.find(static_cast<uint32_t>(pid));
  return note != run.notes.end() ? &note->second : nullptr;
}

std::string WhyFirstLeftNone(const RunNote* note) {
  if (note != nullptr && !note->obstacle.empty()) return absl::StrCat("its record could not be made: ", note->obstacle);
  return "libmallocspy.so left no record of it: the loader did not preload it, or the program ended before it could "
         "start";
}

// A child of which only a note tells; nothing if there is nothing to tell.
std::optional<Findings> AssessNote(uint32_t pid, const RunNote& note, const RunDescription& run) {
  if (note.elsewhere) return std::nullopt;
  const bool running = IsRunning(pid);
  // A forked child without a record has neither allocated nor freed.
  if (!note.spawned && note.obstacle.empty() && !running) return std::nullopt;
  std::string why =
      "it left no record (statically linked, setuid, of another architecture, started without LD_PRELOAD, or ended "
      "before it could begin?): nothing that it did was checked";
  if (!note.obstacle.empty()) {
    why = absl::StrCat("its record could not be made: ", note.obstacle);
  } else if (running && note.spawned) {
    why = "was still running when this report was made, without a record";
  } else if (running) {
    why = "forked and still running when this report was made: it had not allocated or freed yet";
  }
  Findings findings = WithoutLedger(pid, run, why);
  findings.process.exe = note.program;
  if (running) {
    findings.process.exit.kind = ProcessExit::Kind::kRunning;
    findings.verdict.unchecked = findings.verdict.unseen = false;
    findings.verdict.interrupted = true;
  }
  return findings;
}

Findings AssessLedger(const std::vector<RunLedger>& ledgers, const RunLedger& ledger, const RunDescription& run,
                      uint64_t most_leaks, FrameNamer* namer) {
  const absl::StatusOr<Snapshot> snapshot = ReadSnapshotFile(ledger.path);
  if (!snapshot.ok()) {
    return WithoutLedger(ledger.pid, run, absl::StrCat("its record cannot be read: ", snapshot.status().message()));
  }
  Circumstances circumstances;
  circumstances.follow = run.follow;
  circumstances.later_image = HasLaterImage(ledgers, ledger);
  if (const RunNote* note = NoteOf(run, static_cast<pid_t>(ledger.pid)); note != nullptr) {
    circumstances.elsewhere = note->elsewhere;
    circumstances.obstacle = note->obstacle;
  }
  if (ledger.pid == static_cast<uint32_t>(run.pid)) {
    if (!circumstances.later_image) circumstances.wait_status = run.wait_status;
  } else {
    circumstances.still_running = snapshot->state != ledger::State::kEnded && IsRunning(ledger.pid);
  }
  return Assess(*snapshot, circumstances, most_leaks, namer);
}

}  // namespace

std::vector<RunLedger> ListLedgers(const std::string& directory, pid_t first_pid) {
  std::vector<RunLedger> ledgers;
  for (const std::string& name : ListDirectory(directory)) {
    RunLedger ledger;
    if (!ParseName(name.c_str(), &ledger)) continue;
    ledger.path = absl::StrCat(directory, "/", name);
    ledgers.push_back(ledger);
  }
  std::sort(ledgers.begin(), ledgers.end(),
            [](const RunLedger& a, const RunLedger& b) { return std::tie(a.pid, a.image) < std::tie(b.pid, b.image); });
  const auto first_process = [first_pid](const RunLedger& ledger) {
    return ledger.pid == static_cast<uint32_t>(first_pid);
  };
  const auto others = std::stable_partition(ledgers.begin(), ledgers.end(), first_process);
  if (others != ledgers.begin()) std::rotate(ledgers.begin(), others - 1, others);
  return ledgers;
}

Findings AssessRun(const std::vector<RunLedger>& ledgers, const RunDescription& run, uint64_t most_leaks,
                   FrameNamer* namer) {
  auto next = ledgers.begin();
  const bool has_first = next != ledgers.end() && next->pid == static_cast<uint32_t>(run.pid);
  Findings findings = has_first
                          ? AssessLedger(ledgers, *next++, run, most_leaks, namer)
                          : WithoutLedger(static_cast<uint32_t>(run.pid), run, WhyFirstLeftNone(NoteOf(run, run.pid)));
  for (; next != ledgers.end(); ++next) {
    findings.children.push_back(AssessLedger(ledgers, *next, run, most_leaks, namer));
  }
  // In the order of their starts, which is not that of their numbers: these begin again from below.
  std::stable_sort(findings.children.begin(), findings.children.end(),
                   [](const Findings& a, const Findings& b) { return a.process.started_ns < b.process.started_ns; });
  for (const auto& [pid, note] : run.notes) {
    const bool recorded =
        std::any_of(ledgers.begin(), ledgers.end(), [pid = pid](const RunLedger& ledger) { return ledger.pid == pid; });
    if (recorded || pid == static_cast<uint32_t>(run.pid)) continue;
    if (std::optional<Findings> child = AssessNote(pid, note, run)) findings.children.push_back(*std::move(child));
  }
  return findings;
}

}  // namespace mallocspy
