#include "tools/verdict/findings.h"

namespace mallocspy {

std::vector<const Findings*> EveryProcess(const std::vector<Findings>& reports) {
  std::vector<const Findings*> processes;
  for (const Findings& report : reports) {
    processes.push_back(&report);
    for (const Findings& child : report.children) processes.push_back(&child);
  }
  return processes;
}

std::vector<Findings*> EveryProcess(std::vector<Findings>* reports) {
  std::vector<Findings*> processes;
  for (Findings& report : *reports) {
    processes.push_back(&report);
    for (Findings& child : report.children) processes.push_back(&child);
  }
  return processes;
}

absl::string_view NameOf(LeakClass leak_class) {
  switch (leak_class) {
    case LeakClass::kDefinite:
      return "definite";
    case LeakClass::kIndirect:
      return "indirect";
    case LeakClass::kPossible:
      return "possible";
    case LeakClass::kReachable:
      return "reachable";
    case LeakClass::kUnknown:
      return "unknown";
  }
  return "unknown";
}

absl::string_view NameOf(Reachability reachability) {
  switch (reachability) {
    case Reachability::kUnknown:
      return "unknown";
    case Reachability::kComplete:
      return "complete";
    case Reachability::kPartial:
      return "partial";
  }
  return "";
}

BlockTotal Findings::Lost() const {
  BlockTotal lost;
  for (const LeakClass leak_class : {LeakClass::kDefinite, LeakClass::kIndirect, LeakClass::kPossible, LeakClass::kUnknown}) {
    lost.blocks += Of(leak_class).blocks;
    lost.bytes += Of(leak_class).bytes;
  }
  return lost;
}

absl::string_view NameOf(Status status) {
  switch (status) {
    case Status::kClean:
      return "clean";
    case Status::kLeaks:
      return "leaks";
    case Status::kErrors:
      return "errors";
    case Status::kIncomplete:
      return "incomplete";
  }
  return "incomplete";
}

absl::string_view NameOf(BaselineMatch::State state) {
  switch (state) {
    case BaselineMatch::State::kNew:
      return "new";
    case BaselineMatch::State::kGrown:
      return "grown";
    case BaselineMatch::State::kKnown:
      return "known";
  }
  return "new";
}

absl::string_view NameOf(SuppressionUse::State state) {
  switch (state) {
    case SuppressionUse::State::kUsed:
      return "used";
    case SuppressionUse::State::kUnused:
      return "unused";
    case SuppressionUse::State::kExpired:
      return "expired";
    case SuppressionUse::State::kExceeded:
      return "exceeded";
  }
  return "unused";
}

absl::string_view NameOf(Door door) {
  switch (door) {
    case Door::kNone:
      return "";
    case Door::kTask:
      return "task";
    case Door::kMalloc:
      return "malloc";
    case Door::kNew:
      return "new";
    case Door::kNewArray:
      return "new[]";
    case Door::kAlignedMalloc:
      return "aligned malloc";
    case Door::kAlignedNew:
      return "aligned new";
    case Door::kAlignedNewArray:
      return "aligned new[]";
  }
  return "";
}

}  // namespace mallocspy
