#include "tools/verdict/suppressing.h"

#include <optional>

namespace mallocspy {
namespace {

class Suppressing {
 public:
  Suppressing(const std::vector<Suppression>& suppressions, absl::CivilDay today, std::vector<Findings*> processes)
      : suppressions_(suppressions), processes_(std::move(processes)), uses_(suppressions.size()) {
    for (size_t i = 0; i < suppressions.size(); ++i) {
      const Suppression& suppression = suppressions[i];
      SuppressionUse& use = uses_[i];
      use.name = suppression.name;
      use.file = suppression.file;
      use.line = suppression.line;
      use.reason = suppression.reason;
      if (suppression.expires.has_value() && *suppression.expires < today) use.state = SuppressionUse::State::kExpired;
    }
  }

  void Run() {
    // One that turns out to be exceeded leaves its leaks to those behind it, so the choice is made anew.
    do {
      Choose();
    } while (FindExceeded());
    size_t next = 0;
    for (Findings* const process : processes_) {
      for (Leak& leak : process->leaks) Mark(chosen_[next++], &leak);
      MarkIndirect(process);
    }
  }

  std::vector<SuppressionUse> uses() const {
    std::vector<SuppressionUse> told;
    for (size_t i = 0; i < uses_.size(); ++i) {
      if (!suppressions_[i].built_in || uses_[i].blocks != 0) told.push_back(uses_[i]);
    }
    return told;
  }

 private:
  using Choice = std::optional<size_t>;  // which suppression

  bool Exceeded(size_t i) const { return uses_[i].state == SuppressionUse::State::kExceeded; }
  bool Expired(size_t i) const { return uses_[i].state == SuppressionUse::State::kExpired; }

  void Choose() {
    chosen_.clear();
    for (size_t i = 0; i < uses_.size(); ++i) {
      if (!Exceeded(i)) uses_[i].blocks = uses_[i].bytes = 0;
    }
    for (const Findings* const process : processes_) {
      for (const Leak& leak : process->leaks) chosen_.push_back(ChoiceFor(leak));
    }
  }

  Choice ChoiceFor(const Leak& leak) {
    if (!leak.suppressed_by.empty()) return std::nullopt;  // the snapshot says why
    for (size_t i = 0; i < uses_.size(); ++i) {
      if (Exceeded(i) || !Matches(suppressions_[i], leak)) continue;
      uses_[i].blocks += leak.blocks;
      uses_[i].bytes += leak.bytes;
      if (!Expired(i)) return i;
    }
    return std::nullopt;
  }

  // True if there are more of them than before.
  bool FindExceeded() {
    bool found = false;
    for (size_t i = 0; i < uses_.size(); ++i) {
      if (Exceeded(i) || Expired(i)) continue;
      const Suppression& suppression = suppressions_[i];
      const bool exceeded = uses_[i].blocks > suppression.max_blocks.value_or(UINT64_MAX) ||
                            uses_[i].bytes > suppression.max_bytes.value_or(UINT64_MAX);
      using State = SuppressionUse::State;
      uses_[i].state = exceeded ? State::kExceeded : uses_[i].blocks != 0 ? State::kUsed : State::kUnused;
      found |= exceeded;
    }
    return found;
  }

  void Mark(Choice choice, Leak* leak) const {
    if (!choice.has_value()) return;
    leak->suppressed_by = suppressions_[*choice].name;
    leak->suppressed_because = suppressions_[*choice].reason;
  }

  static void MarkIndirect(Findings* findings) {
    uint64_t definite_left = findings->Of(LeakClass::kDefinite).blocks;
    const Leak* first = nullptr;
    for (const Leak& leak : findings->leaks) {
      if (leak.leak_class != LeakClass::kDefinite || leak.suppressed_by.empty()) continue;
      definite_left -= leak.blocks;
      if (first == nullptr) first = &leak;
    }
    if (first == nullptr || definite_left != 0) return;
    for (Leak& leak : findings->leaks) {
      if (leak.leak_class != LeakClass::kIndirect || !leak.suppressed_by.empty()) continue;
      leak.suppressed_by = first->suppressed_by;
      leak.suppressed_because = first->suppressed_because;
    }
  }

  const std::vector<Suppression>& suppressions_;
  const std::vector<Findings*> processes_;
  std::vector<SuppressionUse> uses_;
  std::vector<Choice> chosen_;  // of each leak, one process after the other
};

}  // namespace

std::vector<SuppressionUse> Suppress(const std::vector<Suppression>& suppressions, absl::CivilDay today,
                                     std::vector<Findings>* reports) {
  Suppressing suppressing(suppressions, today, EveryProcess(reports));
  suppressing.Run();
  return suppressing.uses();
}

}  // namespace mallocspy
