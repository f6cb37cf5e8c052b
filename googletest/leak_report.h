// What leaked since a mark, judged by limits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "googletest/leak_listener.h"

namespace mallocspy {

// `stack`: what lies below on the stack is the checker's own. Empty if what was made since mark `since` leaks no more than `limits` allow; else the failure's message: what leaked and from where, or
// why that is not known.
std::string LeaksBeyond(const LeakLimits& limits, uint64_t since, const void* stack);

// The lines of the stack whose innermost frames lie at these offsets in their modules, from where a spy has made an allocation fail.
std::string InjectedFailureStack(const std::vector<uint64_t>& offsets);

}  // namespace mallocspy
