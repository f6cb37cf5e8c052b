// The live blocks as a graph that hangs together: what holds them, and what to hang those from that nothing holds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/reader/snapshot.h"

namespace mallocspy {

// What holds blocks and is none: all stacks' words of one thread, all variables of one module ...
struct Holder {
  struct Edge {
    uint32_t to = 0;    // index in Snapshot::blocks
    uint32_t root = 0;  // index in Snapshot::roots; 0: none
  };
  std::string name;
  std::vector<Edge> edges;
};

struct HeldBlocks {
  std::vector<Holder> roots;
  std::vector<Holder> unheld;  // only those that have blocks: leaks, then what is not known to be held
};

// Every block is one of them or can be reached from one of them by Snapshot::references.
HeldBlocks HoldBlocks(const Snapshot& snapshot);

}  // namespace mallocspy
