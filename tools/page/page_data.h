// What a page shows, as one JSON document ("mallocspy-page/1"): a table of texts, a tree of frames, and for each
// snapshot the findings and the counters of all its stacks.
//
//   kind      "report" or "diff"; of a diff the first picture is the new one, the second the old one
//   texts[]   every name once; the numbers below are places in here, 0 is ""
//   frames    {module[] function[] file[] line[] offset[] inlined[]}: a column each; offsets as text, "" where there is
//   a function nodes     {parent[] frame[]}: parent is how many nodes before this one it stands; node 0 is the root
//   doors[]   names
//   headline  the verdict on all in a sentence
//   pictures[]
//     label pid exe cmdline[] verdict{status sentence reachability judged} degraded[] started_ms taken_ms totals classes
//     leaks[]     {id class blocks bytes mark door root suppressed_by baseline truncated node}
//     errors[]    {headline count stacks[{name node}]}
//     sizes       {exact blocks[] bytes[]}; bucket 0: 0 bytes, bucket i: from 2^(i-1)
//     marks[]     {name ms live_bytes}
//     stacks      {node[] door[] live_blocks[] live_bytes[] allocations[] allocated_bytes[] frees[] peak_blocks[] peak_bytes[]}: a column each
//     dominators  of a dump with what points to what: {parent[] label[] nodes[] bytes[] blocks[]}, folded_dominators.h; parent as above, label a
//                 text, bytes and blocks are retained ones
//   changes[] only of a diff: {change class id node before{blocks bytes} now{blocks bytes}}
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "tools/reader/snapshot.h"
#include "tools/verdict/findings.h"
#include "tools/verdict/frame_namer.h"
#include "tools/verdict/leak_diff.h"

namespace mallocspy {

// How many leaks a page lists by name; of the others it has stacks and counters, as of everything.
inline constexpr uint64_t kMostPageLeaks = 5000;

// Where the stacks come from. Findings without their snapshot among these show their leaks only.
struct PageSource {
  absl::Span<const Snapshot> snapshots;
  FrameNamer* namer = nullptr;
};

std::string PageData(const std::vector<Findings>& reports, const PageSource& source);

// One side of a diff: a snapshot with its findings, or the leaks of a JSON report.
struct DiffSide {
  std::string file;
  std::vector<Snapshot> snapshots;  // one, or none
  Findings findings;
};
std::string DiffPageData(const DiffSide& before, const DiffSide& now, const std::vector<LeakChange>& changes,
                         FrameNamer* namer);

}  // namespace mallocspy
