#include "tools/verdict/assessment.h"

#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "tools/verdict/leak_groups.h"
#include "tools/verdict/leak_id.h"
#include "tools/verdict/own_program.h"
#include "tools/verdict/reference_order.h"

namespace mallocspy {
namespace {

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
    case ledger::End::kPicture:
      result.kind = ProcessExit::Kind::kRunning;
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

std::string ThreadName(const Snapshot& snapshot, uint32_t tid) {
  for (const SnapshotThread& thread : snapshot.threads) {
    if (thread.tid == tid) return thread.name;
  }
  return "";
}

LeakRoot Describe(const Snapshot& snapshot, const SnapshotRoot& from, FrameNamer* namer) {
  LeakRoot root;
  root.tid = from.tid;
  root.address = from.address;
  if (from.tid != 0) root.name = ThreadName(snapshot, from.tid);
  switch (from.kind) {
    case ledger::RootKind::kGlobal:
      root.kind = "global";
      namer->NameVariable(snapshot, from.address, &root.name, &root.module);
      break;
    case ledger::RootKind::kStack:
      root.kind = "stack";
      break;
    case ledger::RootKind::kRegisters:
      root.kind = "registers";
      break;
    case ledger::RootKind::kThreadLocal:
      root.kind = "thread-local";
      break;
    case ledger::RootKind::kMapping:
      root.kind = "mapping";
      break;
    case ledger::RootKind::kUnrecorded:
      root.kind = "unrecorded block";
      break;
    case ledger::RootKind::kIgnored:
      root.kind = "ignored";
      break;
    case ledger::RootKind::kNone:
    case ledger::RootKind::kUnanswered:
      root.kind = "unknown";
      break;
  }
  return root;
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
  if (snapshot.leaks_off) {
    leak.suppressed_by = "the program";
    leak.suppressed_because = "it checked for leaks itself, or asked for no check (__lsan_do_leak_check, __lsan_is_turned_off)";
  } else if ((group.excuses & ledger::kBlockIgnored) != 0) {
    leak.suppressed_by = "the program";
    leak.suppressed_because = "it said that the block is no leak (mallocspy_ignore, __lsan_ignore_object, __lsan_disable)";
  } else if ((group.excuses & ledger::kBlockCache) != 0) {
    leak.suppressed_by = kCachesSuppression;
    leak.suppressed_because = "libc or libstdc++ keeps it for itself and frees it when it is asked to clean up (__libc_freeres)";
  }
  if (group.root != 0) leak.root = Describe(snapshot, snapshot.roots[group.root], namer);
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
  result.trapped = error.trapped;
  result.thread_name = ThreadName(snapshot, error.tid);
  result.detail = error.detail;
  result.count = error.count;
  result.where = namer->Name(snapshot, error.where);
  result.allocated = namer->Name(snapshot, error.allocated);
  result.freed = namer->Name(snapshot, error.freed);
  for (const SnapshotReferenceCall& call : error.references) {
    result.references.push_back({call.added, call.released, namer->Name(snapshot, call.node)});
  }
  OrderByBalance(&result.references);
  return result;
}

// Whether it is known that the program cannot have wanted to keep the block.
bool IsLost(LeakClass leak_class) {
  return leak_class != LeakClass::kReachable && leak_class != LeakClass::kUnknown;
}

Status StatusOf(const Findings& findings) {
  if (!findings.errors.empty() || findings.totals.errors_dropped != 0) return Status::kErrors;
  // Before leaks: those that were found are listed all the same, and there may be more.
  if (findings.verdict.unchecked || findings.verdict.interrupted) return Status::kIncomplete;
  return findings.Lost().blocks != 0 ? Status::kLeaks : Status::kClean;
}

}  // namespace

Findings Assess(const Snapshot& snapshot, const Circumstances& circumstances, uint64_t most_leaks, FrameNamer* namer) {
  Findings findings;
  findings.process.pid = snapshot.pid;
  findings.process.started_ns = snapshot.started_ns;
  findings.process.ended_ns = snapshot.ended_ns;
  findings.process.exe = snapshot.exe;
  findings.process.cmdline = snapshot.cmdline;
  findings.process.exit = ExitOf(snapshot, circumstances);
  if (findings.process.exit.kind == ProcessExit::Kind::kSignal) findings.process.crash = namer->Name(snapshot, snapshot.end_node);
  findings.process.interposed = snapshot.interposed;
  findings.process.suppressions = snapshot.suppressions;
  Shortcomings shortcomings = FindShortcomings(snapshot, circumstances);
  findings.process.degraded = std::move(shortcomings.sentences);
  findings.process.own_libraries = OwnLibraries(snapshot);
  findings.verdict.unchecked = shortcomings.unchecked;
  findings.verdict.unseen = shortcomings.unseen;
  findings.verdict.not_started = (snapshot.degraded & ledger::kSpyNotLoaded) != 0;
  findings.verdict.interrupted = shortcomings.interrupted;

  if (snapshot.marking == ledger::Marking::kComplete) findings.verdict.reachability = Reachability::kComplete;
  if (snapshot.marking == ledger::Marking::kPartial) findings.verdict.reachability = Reachability::kPartial;

  const std::vector<LeakGroup> groups = GroupLiveBlocks(snapshot);
  for (const LeakGroup& group : groups) {
    findings.Of(group.leak_class).blocks += group.blocks;
    findings.Of(group.leak_class).bytes += group.bytes;
  }
  findings.totals = TotalsOf(snapshot, groups);
  findings.leak_groups = groups.size();
  findings.leak_blocks = findings.totals.live_blocks;
  findings.leak_bytes = findings.totals.live_bytes;
  for (size_t i = 0; i < groups.size(); ++i) {
    if (i < most_leaks || IsLost(groups[i].leak_class)) findings.leaks.push_back(Describe(snapshot, groups[i], namer));
  }
  for (const SnapshotError& error : snapshot.errors) {
    std::vector<HeapError>& list = error.kind == ledger::ErrorKind::kInjectedFailure ? findings.injected : findings.errors;
    list.push_back(Describe(snapshot, error, namer));
  }
  for (const SnapshotHandover& handover : snapshot.handovers) {
    findings.ownership.push_back({snapshot.modules[handover.maker].path, snapshot.modules[handover.freer].path, handover.made,
                                  handover.freed, handover.blocks, handover.bytes});
  }
  std::stable_sort(findings.ownership.begin(), findings.ownership.end(),
                   [](const Handover& a, const Handover& b) { return a.bytes > b.bytes; });
  findings.verdict.status = StatusOf(findings);
  return findings;
}

}  // namespace mallocspy
