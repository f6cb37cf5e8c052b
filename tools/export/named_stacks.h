// What every export of stacks is made of: the stacks that allocated, with exact counts, and their call sites, each
// named once however many stacks it is part of.
//
//   const NamedStacks stacks(snapshot, &namer);
//   for (const NamedStack& stack : stacks.stacks()) {
//     for (const uint32_t site : stacks.SitesOf(stack)) { ... stacks.sites()[site].frames ... }
//   }
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/reader/snapshot.h"
#include "tools/verdict/frame_namer.h"
#include "tools/verdict/stack_line.h"

namespace mallocspy {

struct StackCounts {
  uint64_t allocations = 0;
  uint64_t allocated_bytes = 0;
  uint64_t live_blocks = 0;  // as reports count them: without blocks inherited over fork
  uint64_t live_bytes = 0;
  uint64_t peak_blocks = 0;  // Snapshot::peak
  uint64_t peak_bytes = 0;

  StackCounts& operator+=(const StackCounts& other);
};

struct NamedStack {
  uint32_t index = 0;  // in Snapshot::stacks
  uint32_t node = 0;   // innermost one that is not libmallocspy's; 0 if not known
  Door door = Door::kNone;
  StackCounts counts;
};

// A call site: a code address and the source frames there.
struct NamedSite {
  uint32_t module = 0;    // index in Snapshot::modules
  uint64_t address = 0;   // return address in the process
  std::vector<Frame> frames;  // at least one, innermost first; all but the last are inlined
};

// FrameName() with its place as Valgrind writes it: "0x4010: function (file.c:10)".
std::string ValgrindFrame(const Frame& frame);

// The name of the stack that is not known.
inline constexpr char kUnknownStack[] = "[unknown]";

class NamedStacks {
 public:
  // `snapshot` must outlive it.
  NamedStacks(const Snapshot& snapshot, FrameNamer* namer);

  const Snapshot& snapshot() const { return snapshot_; }
  const std::vector<NamedStack>& stacks() const { return stacks_; }  // those of which anything is counted
  const std::vector<NamedSite>& sites() const { return sites_; }
  StackCounts totals() const;

  // Index in sites() of a node that is part of one of the stacks.
  uint32_t SiteOf(uint32_t node) const { return site_of_node_[node]; }
  static constexpr uint32_t kNoSite = UINT32_MAX;  // of other nodes

  // From innermost to outermost; nothing for a stack that is not known.
  std::vector<uint32_t> SitesOf(const NamedStack& stack) const;

 private:
  void NameSites(FrameNamer* namer);

  const Snapshot& snapshot_;
  std::vector<NamedStack> stacks_;
  std::vector<NamedSite> sites_;
  std::vector<uint32_t> site_of_node_;
};

// The innermost node from `node` on that is not libmallocspy's own.
uint32_t FirstNodeOutside(const Snapshot& snapshot, uint32_t node);

}  // namespace mallocspy
