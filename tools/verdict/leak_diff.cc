#include "tools/verdict/leak_diff.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

namespace mallocspy {
namespace {

constexpr size_t kLevels = 3;
constexpr LeakClass kLevelClass[kLevels] = {LeakClass::kDefinite, LeakClass::kPossible, LeakClass::kReachable};

size_t LevelOf(LeakClass leak_class) {
  switch (leak_class) {
    case LeakClass::kDefinite:
    case LeakClass::kIndirect:
    case LeakClass::kUnknown:
      return 0;
    case LeakClass::kPossible:
      return 1;
    case LeakClass::kReachable:
      return 2;
  }
  return 0;
}

uint64_t Sum(uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

// All leaks of one id.
struct Sums {
  std::array<BlockTotal, kLevels> at_least;  // of this level and those before it
  const Leak* first = nullptr;
  LeakClass worst = LeakClass::kReachable;

  void Add(const Leak& leak) {
    if (first == nullptr || LevelOf(leak.leak_class) < LevelOf(worst)) worst = leak.leak_class;
    if (first == nullptr) first = &leak;
    for (size_t level = LevelOf(leak.leak_class); level < kLevels; ++level) {
      at_least[level].blocks = Sum(at_least[level].blocks, leak.blocks);
      at_least[level].bytes = Sum(at_least[level].bytes, leak.bytes);
    }
  }
  const BlockTotal& all() const { return at_least[kLevels - 1]; }
};

using SumsById = std::map<std::string, Sums>;

SumsById ById(const std::vector<Leak>& leaks) {
  SumsById by_id;
  for (const Leak& leak : leaks) by_id[leak.id].Add(leak);
  return by_id;
}

bool Exceeds(const BlockTotal& one, const BlockTotal& other) {
  return one.blocks > other.blocks || one.bytes > other.bytes;
}

// The first level at which `one` has more than `other`; kLevels if there is none.
size_t FirstExceeding(const Sums& one, const Sums& other) {
  size_t level = 0;
  while (level < kLevels && !Exceeds(one.at_least[level], other.at_least[level])) ++level;
  return level;
}

LeakChange Compare(const Sums& before, const Sums& now) {
  LeakChange change;
  change.before = before.all();
  change.now = now.all();
  change.worst_before = before.worst;
  change.worst_now = now.worst;
  change.leak = now.first != nullptr ? *now.first : *before.first;
  using Kind = LeakChange::Kind;
  const size_t grown = FirstExceeding(now, before);
  if (now.first == nullptr) {
    change.kind = Kind::kGone;
  } else if (before.first == nullptr) {
    change.kind = Kind::kNew;
    change.worst_grown = kLevelClass[LevelOf(now.worst)];
  } else if (grown < kLevels) {
    change.kind = Kind::kGrown;
    change.worst_grown = kLevelClass[grown];
  } else {
    change.kind = FirstExceeding(before, now) < kLevels ? Kind::kShrunk : Kind::kSame;
  }
  return change;
}

std::vector<LeakChange> Diff(const SumsById& before, const SumsById& now) {
  std::vector<LeakChange> changes;
  for (const auto& [id, sums] : now) {
    const auto known = before.find(id);
    changes.push_back(Compare(known == before.end() ? Sums() : known->second, sums));
  }
  for (const auto& [id, sums] : before) {
    if (!now.contains(id)) changes.push_back(Compare(sums, Sums()));
  }
  const auto size = [](const LeakChange& change) { return std::max(change.now.bytes, change.before.bytes); };
  std::stable_sort(changes.begin(), changes.end(), [&size](const LeakChange& a, const LeakChange& b) {
    return a.kind != b.kind ? a.kind < b.kind : size(a) > size(b);
  });
  return changes;
}

BaselineSummary Summary(const std::vector<LeakChange>& changes, const std::string& file) {
  BaselineSummary summary;
  summary.file = file;
  for (const LeakChange& change : changes) {
    switch (change.kind) {
      case LeakChange::Kind::kNew:
        ++summary.fresh;
        break;
      case LeakChange::Kind::kGrown:
        ++summary.grown;
        break;
      case LeakChange::Kind::kShrunk:
      case LeakChange::Kind::kSame:
        ++summary.known;
        break;
      case LeakChange::Kind::kGone:
        ++summary.gone;
        break;
    }
  }
  return summary;
}

BaselineMatch MatchOf(const Leak& leak, const SumsById& before, const SumsById& now) {
  const auto known = before.find(leak.id);
  if (known == before.end()) return {};
  const size_t level = LevelOf(leak.leak_class);
  const BlockTotal& old = known->second.at_least[level];
  const bool grown = Exceeds(now.at(leak.id).at_least[level], old);
  return {grown ? BaselineMatch::State::kGrown : BaselineMatch::State::kKnown, old.blocks, old.bytes};
}

}  // namespace

absl::string_view NameOf(LeakChange::Kind kind) {
  switch (kind) {
    case LeakChange::Kind::kNew:
      return "new";
    case LeakChange::Kind::kGrown:
      return "grown";
    case LeakChange::Kind::kShrunk:
      return "shrunk";
    case LeakChange::Kind::kGone:
      return "gone";
    case LeakChange::Kind::kSame:
      return "same";
  }
  return "same";
}

std::vector<LeakChange> DiffLeaks(const std::vector<Leak>& old_leaks, const std::vector<Leak>& new_leaks) {
  return Diff(ById(old_leaks), ById(new_leaks));
}

void CompareWithBaseline(const std::vector<Leak>& baseline, const std::string& file, std::vector<Findings>* reports) {
  const std::vector<Findings*> processes = EveryProcess(reports);
  const SumsById before = ById(baseline);
  SumsById now;
  for (const Findings* const process : processes) {
    if (process->replaced()) continue;
    for (const Leak& leak : process->leaks) {
      if (leak.suppressed_by.empty()) now[leak.id].Add(leak);
    }
  }
  const BaselineSummary summary = Summary(Diff(before, now), file);
  for (Findings* const process : processes) {
    process->baseline = summary;
    if (process->replaced()) continue;
    for (Leak& leak : process->leaks) {
      if (leak.suppressed_by.empty()) leak.baseline = MatchOf(leak, before, now);
    }
  }
}

}  // namespace mallocspy
