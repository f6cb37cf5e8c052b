#include "tools/verdict/assessment.h"

#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "tools/verdict/leak_groups.h"
#include "tools/verdict/leak_id.h"

namespace mallocspy {
namespace {

absl::string_view NameOf(ledger::ErrorKind kind) {
  switch (kind) {
    case ledger::ErrorKind::kDoubleFree:
      return "double-free";
    case ledger::ErrorKind::kInvalidFree:
      return "invalid-free";
    case ledger::ErrorKind::kMismatchedFree:
      return "mismatched-free";
    case ledger::ErrorKind::kHeapOverflow:
      return "heap-overflow";
    case ledger::ErrorKind::kHeapUnderflow:
      return "heap-underflow";
    case ledger::ErrorKind::kUseAfterFreeWrite:
      return "use-after-free-write";
    case ledger::ErrorKind::kSizedDeleteMismatch:
      return "sized-delete-mismatch";
    case ledger::ErrorKind::kBadAlignment:
      return "bad-alignment";
    case ledger::ErrorKind::kSpyContract:
      return "spy-contract";
  }
  return "unknown";
}

ProcessExit ExitOf(const Snapshot& snapshot, const Circumstances& circumstances) {
  ProcessExit result;
  if (circumstances.wait_status.has_value()) {
    const int status = *circumstances.wait_status;
    result.kind = WIFSIGNALED(status) ? ProcessExit::Kind::kSignal : ProcessExit::Kind::kCode;
    result.value = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    return result;
  }
  result.value = snapshot.end_value;
  switch (snapshot.end) {
    case ledger::End::kNone:
      result.kind = circumstances.still_running ? ProcessExit::Kind::kRunning : ProcessExit::Kind::kUnknown;
      break;
    case ledger::End::kExit:
      result.kind = ProcessExit::Kind::kCode;
      result.value &= 0xff;  // what a parent sees of it
      break;
    case ledger::End::kSignal:
      result.kind = ProcessExit::Kind::kSignal;
      break;
    case ledger::End::kExec:
      result.kind = ProcessExit::Kind::kExec;
      result.program = snapshot.exec_path;
      break;
  }
  return result;
}

Totals TotalsOf(const Snapshot& snapshot, const std::vector<LeakGroup>& groups) {
  Totals totals;
  for (const SnapshotStack& stack : snapshot.stacks) {
    totals.allocations += stack.allocations;
    totals.allocated_bytes += stack.allocated_bytes;
    totals.frees += stack.frees;
    totals.stacks += stack.allocations != 0 ? 1 : 0;
  }
  for (const LeakGroup& group : groups) {
    totals.live_blocks += group.blocks;
    totals.live_bytes += group.bytes;
  }
  totals.peak_bytes = snapshot.peak_bytes;
  totals.foreign_frees = snapshot.foreign_frees;
  totals.truncated = snapshot.truncated;
  totals.inherited_frees = snapshot.inherited_frees;
  totals.bypassed = snapshot.bypassed;
  totals.errors_dropped = snapshot.errors_dropped;
  return totals;
}

Leak Describe(const Snapshot& snapshot, const LeakGroup& group, FrameNamer* namer) {
  Leak leak;
  leak.leak_class = group.leak_class;
  leak.blocks = group.blocks;
  leak.bytes = group.bytes;
  leak.mark = group.mark;
  leak.door = group.door;
  leak.truncated = group.truncated;
  leak.frames = namer->Name(snapshot, group.node, &leak.truncated);
  leak.id = LeakId(leak.door, leak.frames);
  return leak;
}

HeapError Describe(const Snapshot& snapshot, const SnapshotError& error, FrameNamer* namer) {
  HeapError result;
  result.kind = std::string(NameOf(error.kind));
  result.address = error.address;
  result.size = error.size;
  result.value = error.value;
  result.block_door = error.block_door;
  result.used_door = error.used_door;
  result.tid = error.tid;
  const auto thread = std::find_if(snapshot.threads.begin(), snapshot.threads.end(),
                                   [&error](const SnapshotThread& thread) { return thread.tid == error.tid; });
  if (thread != snapshot.threads.end()) result.thread_name = thread->name;
  result.detail = error.detail;
  result.count = error.count;
  result.where = namer->Name(snapshot, error.where);
  result.allocated = namer->Name(snapshot, error.allocated);
  result.freed = namer->Name(snapshot, error.freed);
  return result;
}

Status StatusOf(const Findings& findings) {
  if (!findings.errors.empty() || findings.totals.errors_dropped != 0) return Status::kErrors;
  // Before leaks: those that were found are listed all the same, and there may be more.
  if (findings.verdict.unchecked || findings.verdict.interrupted) return Status::kIncomplete;
  return findings.leak_groups != 0 ? Status::kLeaks : Status::kClean;
}

}  // namespace

Findings Assess(const Snapshot& snapshot, const Circumstances& circumstances, uint64_t most_leaks, FrameNamer* namer) {
  Findings findings;
  findings.process.pid = snapshot.pid;
  findings.process.exe = snapshot.exe;
  findings.process.cmdline = snapshot.cmdline;
  findings.process.exit = ExitOf(snapshot, circumstances);
  findings.process.interposed = snapshot.interposed;
  Shortcomings shortcomings = FindShortcomings(snapshot, circumstances);
  findings.process.degraded = std::move(shortcomings.sentences);
  findings.verdict.unchecked = shortcomings.unchecked;
  findings.verdict.not_started = (snapshot.degraded & ledger::kSpyNotLoaded) != 0;
  findings.verdict.interrupted = shortcomings.interrupted;

  const std::vector<LeakGroup> groups = GroupLiveBlocks(snapshot);
  findings.totals = TotalsOf(snapshot, groups);
  findings.leak_groups = groups.size();
  findings.leak_blocks = findings.totals.live_blocks;
  findings.leak_bytes = findings.totals.live_bytes;
  for (size_t i = 0; i < groups.size() && i < most_leaks; ++i) {
    findings.leaks.push_back(Describe(snapshot, groups[i], namer));
  }
  for (const SnapshotError& error : snapshot.errors) {
    findings.errors.push_back(Describe(snapshot, error, namer));
  }
  findings.verdict.status = StatusOf(findings);
  return findings;
}

}  // namespace mallocspy
