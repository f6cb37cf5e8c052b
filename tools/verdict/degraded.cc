#include "tools/verdict/degraded.h"

#include <algorithm>
#include <sys/wait.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/verdict/fail_on.h"
#include "tools/wording/count.h"

namespace mallocspy {
namespace {

struct Meaning {
  uint64_t bit;
  bool unchecked;
  const char* sentence;
};

constexpr Meaning kMeanings[] = {
    {ledger::kNotInterposed, true,
     "the program brings its own malloc, which comes before ours: its blocks were not seen; link it without that "
     "allocator to check it"},
    {ledger::kLedgerPrivate, false,
     "the record was not shared: had the process been killed, nothing would have been left of it"},
    {ledger::kLedgerFull, false,
     "memory for the record ran out: some allocations are counted without their stack; give the run directory "
     "(XDG_RUNTIME_DIR, /dev/shm or TMPDIR) more room, or raise the file size limit (ulimit -f)"},
    {ledger::kThreadsRunning, false,
     "some threads did not pause at the end: the last counters may be of different moments"},
    {ledger::kTooManyErrors, false, "there were more heap errors than are recorded; fix the first ones and run again"},
    {ledger::kNoUnwinder, false, "libunwind could not be loaded: stacks have one frame; install libunwind8"},
    {ledger::kDeepbindStripped, false,
     "a library was opened with RTLD_DEEPBIND, which would have hidden its allocations; the flag was taken away"},
    {ledger::kBlocksUnwritten, true,
     "the list of live blocks could not be written whole (no room, or a limit, ulimit -f): leaks are from the "
     "counters of the stacks"},
    {ledger::kModulesLost, false, "more modules were loaded than can be numbered: some frames have only an address"},
    {ledger::kMarksExhausted, false, "more marks were set than can be numbered: late blocks carry the last one"},
};

constexpr absl::string_view kFromCounters = "live totals are the record's counters; blocks and guards were not checked";

// What became of a process that called exec and whose record says nothing later.
void AddExec(const Snapshot& snapshot, const Circumstances& circumstances, Shortcomings* result) {
  const std::string program = snapshot.exec_path.empty() ? "another program" : snapshot.exec_path;
  if (circumstances.later_image) {
    result->sentences.push_back(absl::StrCat("went on as ", program, ": ", kFromCounters));
    return;
  }
  std::string fate = "left no record (statically linked, setuid or of another architecture?)";
  if (!circumstances.obstacle.empty()) fate = absl::StrCat("could not be recorded (", circumstances.obstacle, ")");
  if (!circumstances.follow) fate = "was not to be recorded";
  // Perhaps it is only just being loaded.
  if (circumstances.still_running) fate = "was still running, without a record yet";
  if (circumstances.elsewhere) fate = "another 'mallocspy run' records";
  result->sentences.push_back(absl::StrCat("went on as ", program, ", which ", fate, ": ", kFromCounters));
  result->unseen |= circumstances.follow && !circumstances.still_running && !circumstances.elsewhere;
}

void AddInterruption(const Snapshot& snapshot, const Circumstances& circumstances, Shortcomings* result) {
  result->interrupted = true;
  const std::optional<int> status = circumstances.wait_status;
  std::string what;
  if (status.has_value() && WIFSIGNALED(*status)) {
    what = absl::StrCat("ended by ", SignalName(WTERMSIG(*status)));
  } else if (status.has_value()) {
    what = absl::StrCat("ended with status ", WEXITSTATUS(*status), " without passing through exit");
  } else if (circumstances.still_running) {
    what = "was still running when this report was made";
  } else if (snapshot.state == ledger::State::kEnding) {
    what = "was killed while it wrote down its live blocks";
  } else {
    what = "was killed, or was still running when this was read";
  }
  result->sentences.push_back(absl::StrCat(what, ": ", kFromCounters));
}

// Empty for the status with which our library itself gives up.
std::string WithStatus(int status) { return status == kExitIncomplete ? "" : absl::StrCat("with status ", status); }

// About a spy that cannot be loaded the library has said why. One that ended the process had the last word.
std::string SpyNotLoaded(const Snapshot& snapshot, const Circumstances& circumstances) {
  const std::string spy = snapshot.spy.empty() ? "a --spy library" : absl::StrCat("the spy ", snapshot.spy);
  std::string how;
  if (circumstances.wait_status.has_value()) {
    const int status = *circumstances.wait_status;
    if (WIFSIGNALED(status)) how = absl::StrCat("by ", SignalName(WTERMSIG(status)));
    if (WIFEXITED(status)) how = WithStatus(WEXITSTATUS(status));
  } else if (snapshot.end == ledger::End::kSignal) {
    how = absl::StrCat("by ", SignalName(snapshot.end_value));
  } else if (snapshot.end == ledger::End::kExit) {
    how = WithStatus(snapshot.end_value);
  }
  if (how.empty()) return absl::StrCat(spy, " could not be loaded: the program was not started");
  return absl::StrCat(
      spy, " ended the process ", how,
      " while it was loaded: the program was not started; look at its constructors and MallocSpyCreate");
}

// Of a process that came to its end: whether it is known what leads to its blocks.
void AddMarking(const Snapshot& snapshot, Shortcomings* result) {
  if (!snapshot.blocks_known || snapshot.blocks.empty()) return;
  if (snapshot.marking == ledger::Marking::kUnknown) {
    result->sentences.emplace_back(
        "whether the program could still reach its blocks is not known: its threads could not be signalled, or it could not be copied "
        "and its memory map read (a seccomp filter, a limit of processes, files or memory, no /proc); allow that, or use --fail-on=any");
    result->unchecked = true;
  }
  std::vector<std::string> unanswered;
  for (const SnapshotRoot& root : snapshot.roots) {
    if (root.kind != ledger::RootKind::kUnanswered) continue;
    const auto thread = std::find_if(snapshot.threads.begin(), snapshot.threads.end(),
                                     [&root](const SnapshotThread& one) { return one.tid == root.tid; });
    unanswered.push_back(thread != snapshot.threads.end() ? absl::StrCat(root.tid, " (", thread->name, ")") : absl::StrCat(root.tid));
  }
  if (unanswered.empty()) return;
  result->sentences.push_back(absl::StrCat(
      unanswered.size() == 1 ? "thread " : "threads ", absl::StrJoin(unanswered, ", "),
      " did not stop when asked to (does it block all signals? stop_signal=N chooses another): the whole stack was searched, registers were"
      " not"));
}

// Why, in the order of ledger::BytesOnly.
std::string BytesOnlyText(const Snapshot& snapshot, uint32_t reason) {
  switch (static_cast<ledger::BytesOnly>(reason)) {
    case ledger::BytesOnly::kMappings:
      return absl::StrCat("the kernel allows ", snapshot.mapping_limit,
                          " mappings (vm.max_map_count; raise it, or choose fewer blocks by page_guard=N or page_guard_min_bytes)");
    case ledger::BytesOnly::kSize:
      return "more than 1 MiB, or aligned to more than a page";
    case ledger::BytesOnly::kRoom:
      return "no place was left for their size, or no memory (ulimit -v, ulimit -d)";
  }
  return "";
}

// Blocks that page_guard could not put beside an inaccessible page.
void AddBytesOnly(const Snapshot& snapshot, Shortcomings* result) {
  uint64_t blocks = 0;
  std::vector<std::string> reasons;
  for (uint32_t i = 0; i < ledger::kBytesOnlyReasons; ++i) {
    if (snapshot.bytes_only[i] == 0) continue;
    blocks += snapshot.bytes_only[i];
    reasons.push_back(absl::StrCat(snapshot.bytes_only[i], ": ", BytesOnlyText(snapshot, i)));
  }
  if (blocks == 0) return;
  if (reasons.size() == 1) reasons[0] = reasons[0].substr(reasons[0].find(": ") + 2);
  result->sentences.push_back(absl::StrCat("page_guard: ", Count(snapshot.page_guarded, "block was", "blocks were"), " guarded by pages, ",
                                           blocks, " by bytes only: ", absl::StrJoin(reasons, "; ")));
}

}  // namespace

Shortcomings FindShortcomings(const Snapshot& snapshot, const Circumstances& circumstances) {
  Shortcomings result;
  if (snapshot.state != ledger::State::kEnded) {
    if (snapshot.end == ledger::End::kExec) {
      AddExec(snapshot, circumstances, &result);
    } else {
      AddInterruption(snapshot, circumstances, &result);
    }
  }
  AddMarking(snapshot, &result);
  AddBytesOnly(snapshot, &result);
  uint64_t degraded = snapshot.degraded;
  if ((degraded & ledger::kSpyNotLoaded) != 0) {
    degraded &= ~uint64_t{ledger::kSpyNotLoaded};
    result.sentences.insert(result.sentences.begin(), SpyNotLoaded(snapshot, circumstances));
    result.unchecked = true;
  }
  if (!snapshot.interposed) degraded |= ledger::kNotInterposed;
  for (const Meaning& meaning : kMeanings) {
    if ((degraded & meaning.bit) == 0) continue;
    degraded &= ~meaning.bit;
    result.sentences.emplace_back(meaning.sentence);
    result.unchecked |= meaning.unchecked;
  }
  if (degraded != 0) {
    result.sentences.push_back(
        absl::StrCat("the record is degraded in a way that this mallocspy does not know (bits 0x", absl::Hex(degraded),
                     "): use the mallocspy of the same build"));
    result.unchecked = true;
  }
  if (snapshot.unfollowed_forks != 0) {
    result.sentences.push_back(absl::StrCat(Count(snapshot.unfollowed_forks, "forked process", "forked processes"),
                                            " could not make a record and went unchecked"));
    result.unseen = true;
  }
  if (snapshot.damaged_records != 0) {
    result.sentences.push_back(
        absl::StrCat("left out, because it contradicts the format: ", Count(snapshot.damaged_records, "record"),
                     " of the snapshot; something overwrote it"));
    result.unchecked = true;
  }
  result.unchecked |= result.unseen;
  return result;
}

}  // namespace mallocspy
