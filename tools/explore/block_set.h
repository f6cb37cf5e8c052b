// Blocks by their index in Snapshot::blocks, ascending, each once.
#pragma once

#include <cstdint>
#include <vector>

namespace mallocspy {

using BlockSet = std::vector<uint32_t>;

BlockSet Both(const BlockSet& a, const BlockSet& b);
BlockSet Either(const BlockSet& a, const BlockSet& b);
BlockSet Without(const BlockSet& a, const BlockSet& b);

}  // namespace mallocspy
