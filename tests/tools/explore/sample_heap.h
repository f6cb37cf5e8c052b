// Heaps for the explorer to look at. Their program is the one that includes this file, so that functions, classes and variables have names.
//
//   depot::g_cache --> 0 Cache --> 1 vector --> 2, 3, 4 Entry --> 5, 6 strings
//   stack of 4712 ---> 7 Session --> 8 -> 9 -> 10 list nodes; Session also --> 2
//   nothing            11 --> 12;  13 by a pointer to its inside;  14 <--> 15
#pragma once

#include <cstdint>
#include <string>

#include "tests/tools/ledger_builder.h"

namespace mallocspy {

// Places in Snapshot::blocks, with addresses SampleAddress().
enum SampleBlock : uint32_t {
  kCache,
  kEntries,
  kFirstEntry,
  kSecondEntry,
  kThirdEntry,
  kShortText,
  kLongText,
  kSession,
  kFirstNode,
  kSecondNode,
  kThirdNode,
  kLost,
  kBelowLost,
  kInside,
  kCycle,
  kCycleBack,
  kSampleBlocks
};
inline constexpr uint64_t SampleAddress(uint32_t block) { return 0x50000 + 0x10000 * uint64_t{block}; }

// With `graph` false as a program writes it at its end. A thread and a mark have `name`.
LedgerBuilder SampleHeap(bool graph = true, const std::string& name = "worker");

// At least `blocks` blocks and twice as many references: lists, trees, shared blocks, cycles that nothing leads to.
LedgerBuilder LargeHeap(uint32_t blocks);

}  // namespace mallocspy
