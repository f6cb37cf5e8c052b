// Turns nodes of snapshots into named frames. One namer serves all processes of a report: each module is opened and
// each call site resolved once.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "tools/reader/snapshot.h"
#include "tools/symbolizer/symbolizer.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

class FrameNamer {
 public:
  // With `show_progress` a line on standard error tells how far the naming is, when it takes longer than a moment.
  explicit FrameNamer(bool show_progress) : show_progress_(show_progress) {}
  ~FrameNamer() { EndProgress(); }
  FrameNamer(const FrameNamer&) = delete;
  FrameNamer& operator=(const FrameNamer&) = delete;

  // The stack that ends at `node`, innermost frame first, without leading frames of libmallocspy itself. At most
  // kMostFrames; then `*cut`, if given, is set.
  std::vector<Frame> Name(const Snapshot& snapshot, uint32_t node, bool* cut = nullptr);

  // The functions at one call site (ledger::Node::site), innermost first; empty if none is known. Valid until the next call.
  const std::vector<SourceFrame>& SourcesOf(const Snapshot& snapshot, uint64_t site);

  // The data at an address in the terms of its module.
  DataSymbol FindData(const SnapshotModule& module, uint64_t offset) {
    return symbolizer_.FindData(module.path, module.build_id, offset);
  }

  // The frames of one call site (SnapshotNode::site), innermost first: at least one, without a function if none is known.
  std::vector<Frame> NameSite(const Snapshot& snapshot, uint64_t site);

  // The variable of a module at an address of the process, and its module; both stay as they are if none is known there.
  void NameVariable(const Snapshot& snapshot, uint64_t address, std::string* name, std::string* path);

  // Removes the progress line, if there is one. Before anything else is written to the terminal.
  void EndProgress();

  static constexpr size_t kMostFrames = 8192;  // more than the library ever records

 private:
  const std::vector<SourceFrame>& Resolve(const SnapshotModule& module, uint64_t offset);
  void ShowProgress();

  Symbolizer symbolizer_;
  absl::flat_hash_map<std::tuple<std::string, std::string, uint64_t>, std::vector<SourceFrame>> resolved_;
  const bool show_progress_;
  bool progress_shown_ = false;
  std::chrono::steady_clock::time_point next_progress_ = std::chrono::steady_clock::now() + std::chrono::seconds(1);
};

}  // namespace mallocspy
