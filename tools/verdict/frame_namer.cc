#include "tools/verdict/frame_namer.h"

#include <cstdio>
#include <utility>

#include "absl/strings/escaping.h"

namespace mallocspy {

const std::vector<SourceFrame>& FrameNamer::Resolve(const SnapshotModule& module, uint64_t offset) {
  const auto [place, added] = resolved_.try_emplace({module.path, module.build_id, offset});
  if (added) {
    ShowProgress();
    place->second = symbolizer_.Resolve(module.path, module.build_id, offset);
  }
  return place->second;
}

std::vector<Frame> FrameNamer::Name(const Snapshot& snapshot, uint32_t node, bool* cut) {
  std::vector<Frame> frames;
  bool leading = true;
  for (; node != 0; node = snapshot.nodes[node].parent) {
    const uint64_t site = snapshot.nodes[node].site;
    const SnapshotModule& module = snapshot.modules[site >> ledger::kSiteModuleShift];
    if (leading && module.self) continue;
    leading = false;
    if (frames.size() >= kMostFrames) {
      if (cut != nullptr) *cut = true;
      break;
    }
    for (Frame& frame : NameSite(snapshot, site)) frames.push_back(std::move(frame));
  }
  return frames;
}

std::vector<Frame> FrameNamer::NameSite(const Snapshot& snapshot, uint64_t site) {
  const SnapshotModule& module = snapshot.modules[site >> ledger::kSiteModuleShift];
  std::vector<Frame> frames;
  Frame frame;
  frame.offset = site & ledger::kSiteOffsetMask;
  frame.address = module.bias + frame.offset;
  frame.module = module.path;
  frame.build_id = absl::BytesToHexString(module.build_id);
  if (!module.path.empty()) {
    for (const SourceFrame& source : Resolve(module, frame.offset)) {
      frame.function = source.function;
      frame.symbol = source.symbol;
      frame.file = source.file;
      frame.line = source.line;
      frame.column = source.column;
      frame.inlined = source.inlined;
      frames.push_back(frame);
    }
  }
  if (frames.empty()) frames.push_back(std::move(frame));
  return frames;
}

const std::vector<SourceFrame>& FrameNamer::SourcesOf(const Snapshot& snapshot, uint64_t site) {
  static const std::vector<SourceFrame>* const kNone = new std::vector<SourceFrame>();
  const SnapshotModule& module = snapshot.modules[site >> ledger::kSiteModuleShift];
  return module.path.empty() ? *kNone : Resolve(module, site & ledger::kSiteOffsetMask);
}

void FrameNamer::NameVariable(const Snapshot& snapshot, uint64_t address, std::string* name, std::string* path) {
  for (const SnapshotModule& module : snapshot.modules) {
    if (module.unloaded || address < module.start || address >= module.end) continue;
    *path = module.path;
    const std::string found = symbolizer_.DataName(module.path, module.build_id, address - module.bias);
    if (!found.empty()) *name = found;
    return;
  }
}

void FrameNamer::ShowProgress() {
  if (!show_progress_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_progress_) return;
  next_progress_ = now + std::chrono::milliseconds(200);
  progress_shown_ = true;
  std::fprintf(stderr, "\rmallocspy: finding names and lines: %zu call sites so far", resolved_.size());
}

void FrameNamer::EndProgress() {
  if (!progress_shown_) return;
  progress_shown_ = false;
  std::fputs("\r\x1b[K", stderr);
}

}  // namespace mallocspy
