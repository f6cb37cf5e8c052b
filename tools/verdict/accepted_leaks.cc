#include "tools/verdict/accepted_leaks.h"

#include <utility>

namespace mallocspy {
namespace {

void Take(const Leak& leak, BlockTotal* total) {
  total->blocks -= leak.blocks;
  total->bytes -= leak.bytes;
}

void SetAside(Findings* findings) {
  std::vector<Leak> left;
  for (Leak& leak : findings->leaks) {
    if (!leak.accepted()) {
      left.push_back(std::move(leak));
      continue;
    }
    Take(leak, &findings->Of(leak.leak_class));
    findings->leak_blocks -= leak.blocks;
    findings->leak_bytes -= leak.bytes;
    --findings->leak_groups;
    ++findings->accepted_groups;
    if (leak.leak_class != LeakClass::kReachable) {
      ++(leak.suppressed_by.empty() ? findings->known_leaks : findings->suppressed_leaks);
    }
    findings->accepted.push_back(std::move(leak));
  }
  findings->leaks = std::move(left);
  if (findings->verdict.status == Status::kLeaks && findings->Lost().blocks == 0) {
    findings->verdict.status = Status::kClean;
  }
}

}  // namespace

void SetAsideAccepted(std::vector<Findings>* reports) {
  for (Findings* const process : EveryProcess(reports)) SetAside(process);
}

}  // namespace mallocspy
