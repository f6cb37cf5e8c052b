#include "tools/verdict/process_summary.h"

#include <algorithm>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "tools/verdict/leak_id.h"

namespace mallocspy {
namespace {

constexpr LeakClass kClasses[] = {LeakClass::kDefinite, LeakClass::kIndirect, LeakClass::kPossible,
                                  LeakClass::kReachable, LeakClass::kUnknown};

// Place in a list: what nobody knows (blocks of a killed process, say) must not hide what is known to be lost.
int OrderOf(LeakClass leak_class) {
  switch (leak_class) {
    case LeakClass::kDefinite:
      return 0;
    case LeakClass::kIndirect:
      return 1;
    case LeakClass::kPossible:
      return 2;
    case LeakClass::kUnknown:
      return 3;
    case LeakClass::kReachable:
      return 4;
  }
  return 5;
}

int RankOf(Status status) {
  switch (status) {
    case Status::kClean:
      return 0;
    case Status::kIncomplete:
      return 1;
    case Status::kLeaks:
      return 2;
    case Status::kErrors:
      return 3;
  }
  return 0;
}

std::string KeyOf(const HeapError& error) {
  std::string key = error.kind;
  for (const std::vector<Frame>* stack : {&error.where, &error.allocated, &error.freed}) {
    absl::StrAppend(&key, " ", LeakId(Door::kNone, *stack));
  }
  return error.detail.empty() ? key : absl::StrCat(key, " ", error.detail);
}

// Images of one process stand side by side.
void AddProcess(const Findings* process, std::vector<const Findings*>* in) {
  if (in->back()->process.pid != process->process.pid) in->push_back(process);
}

class Merger {
 public:
  explicit Merger(ProcessSummary* summary) : summary_(summary) {}

  void Add(const Findings& process) {
    for (const LeakClass leak_class : kClasses) {
      BlockTotal& total = summary_->by_class[static_cast<size_t>(leak_class)];
      total.blocks += process.Of(leak_class).blocks;
      total.bytes += process.Of(leak_class).bytes;
    }
    summary_->unlisted_leaks += process.leak_groups - process.leaks.size();
    summary_->unlisted.blocks += process.leak_blocks;
    summary_->unlisted.bytes += process.leak_bytes;
    for (const Leak& leak : process.leaks) {
      summary_->unlisted.blocks -= leak.blocks;
      summary_->unlisted.bytes -= leak.bytes;
      AddLeak(process, leak, &leaks_, &summary_->leaks);
    }
    for (const Leak& leak : process.accepted) AddLeak(process, leak, &accepted_, &summary_->accepted);
    for (const HeapError& error : process.errors) AddError(process, error);
  }

  void Finish() {
    for (std::vector<MergedLeak>* leaks : {&summary_->leaks, &summary_->accepted}) {
      std::stable_sort(leaks->begin(), leaks->end(), [](const MergedLeak& left, const MergedLeak& right) {
        const int left_order = OrderOf(left.leak.leak_class), right_order = OrderOf(right.leak.leak_class);
        return left_order != right_order ? left_order < right_order : left.leak.bytes > right.leak.bytes;
      });
    }
  }

 private:
  using Places = absl::flat_hash_map<std::string, size_t>;

  static void AddLeak(const Findings& process, const Leak& leak, Places* places, std::vector<MergedLeak>* into) {
    const auto [at, added] = places->try_emplace(absl::StrCat(leak.id, " ", NameOf(leak.leak_class)), into->size());
    if (added) {
      into->push_back({leak, {&process}});
      return;
    }
    MergedLeak& merged = (*into)[at->second];
    merged.leak.blocks += leak.blocks;
    merged.leak.bytes += leak.bytes;
    if (merged.leak.mark != leak.mark) merged.leak.mark.reset();
    AddProcess(&process, &merged.in);
  }

  void AddError(const Findings& process, const HeapError& error) {
    const auto [at, added] = errors_.try_emplace(KeyOf(error), summary_->errors.size());
    if (added) {
      summary_->errors.push_back({error, {&process}});
      return;
    }
    MergedError& merged = summary_->errors[at->second];
    merged.error.count += error.count;
    AddProcess(&process, &merged.in);
  }

  ProcessSummary* const summary_;
  Places leaks_;
  Places accepted_;
  Places errors_;
};

void Merge(ProcessSummary* summary) {
  Merger merger(summary);
  for (const Findings* subject : summary->subjects) merger.Add(*subject);
  for (const Findings* process : summary->clean) merger.Add(*process);
  merger.Finish();
}

}  // namespace

ProcessSummary Summarize(const std::vector<const Findings*>& processes) {
  ProcessSummary summary;
  summary.processes = summary.judged = processes.size();
  for (const Findings* process : processes) {
    const Status status = process->verdict.status;
    (status == Status::kClean ? summary.clean : summary.subjects).push_back(process);
    if (RankOf(status) > RankOf(summary.status)) summary.status = status;
  }
  Merge(&summary);
  return summary;
}

ProcessSummary Summarize(const std::vector<Findings>& reports) {
  ProcessSummary summary;
  absl::flat_hash_set<uint32_t> pids, judged_pids;
  const auto sort = [&](const Findings& process, bool child) {
    const Verdict& verdict = process.verdict;
    pids.insert(process.process.pid);
    if (!verdict.judged) {
      (verdict.unseen ? summary.subjects : summary.not_judged).push_back(&process);
      if (verdict.unseen && summary.status == Status::kClean) summary.status = Status::kIncomplete;
      return;
    }
    judged_pids.insert(process.process.pid);
    const bool replaced = process.process.exit.kind == ProcessExit::Kind::kExec;
    if (verdict.status == Status::kClean) {
      if (!replaced) summary.clean.push_back(&process);
    } else if (replaced && verdict.status == Status::kLeaks) {
      summary.replaced.push_back(&process);
    } else if (child && verdict.status == Status::kIncomplete && !verdict.unchecked) {
      summary.unfinished.push_back(&process);
    } else {
      summary.subjects.push_back(&process);
      if (RankOf(verdict.status) > RankOf(summary.status)) summary.status = verdict.status;
    }
  };
  for (const Findings& report : reports) {
    sort(report, false);
    for (const Findings& child : report.children) sort(child, true);
  }
  summary.processes = pids.size();
  summary.judged = judged_pids.size();
  Merge(&summary);
  return summary;
}

}  // namespace mallocspy
