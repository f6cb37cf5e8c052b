#include "tools/export/massif_export.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

constexpr int kMostDepth = 30;  // as Massif's own
constexpr uint64_t kThousandths = 1;  // of the whole: what is less is only counted

// Bytes whose stack goes on at a frame of a site.
struct Cursor {
  uint32_t node = 0;  // 0: the stack ends here
  uint32_t frame = 0;
  uint64_t bytes = 0;
};

class Tree {
 public:
  // Of the bytes that `value` counts.
  Tree(const NamedStacks& stacks, uint64_t StackCounts::*value, ByteSink* sink)
      : stacks_(stacks), value_(value), sink_(sink), threshold_(stacks.totals().*value / 1000 * kThousandths) {}

  void Write() {
    std::vector<Cursor> cursors;
    for (const NamedStack& stack : stacks_.stacks()) {
      if (stack.counts.*value_ != 0) cursors.push_back({stack.node, 0, stack.counts.*value_});
    }
    Write("(heap allocation functions) malloc/new/new[], --alloc-fns, etc.", stacks_.totals().*value_, std::move(cursors), 0);
  }

 private:
  struct Child {
    uint64_t bytes = 0;
    std::vector<Cursor> cursors;
  };

  const Frame& FrameAt(const Cursor& cursor) const {
    return stacks_.sites()[stacks_.SiteOf(cursor.node)].frames[cursor.frame];
  }

  Cursor Caller(Cursor cursor) const {
    if (++cursor.frame < stacks_.sites()[stacks_.SiteOf(cursor.node)].frames.size()) return cursor;
    return {stacks_.snapshot().nodes[cursor.node].parent, 0, cursor.bytes};
  }

  void Write(const std::string& line, uint64_t bytes, std::vector<Cursor> cursors, int depth) {
    absl::flat_hash_map<std::pair<uint32_t, uint32_t>, size_t> index;
    std::vector<Child> children;
    for (const Cursor& cursor : cursors) {
      if (cursor.node == 0) continue;
      const auto [place, added] = index.try_emplace({stacks_.SiteOf(cursor.node), cursor.frame}, children.size());
      if (added) children.emplace_back();
      children[place->second].bytes += cursor.bytes;
      children[place->second].cursors.push_back(cursor);
    }
    cursors = {};
    if (depth == kMostDepth) children.clear();
    std::stable_sort(children.begin(), children.end(), [](const Child& a, const Child& b) { return a.bytes > b.bytes; });
    const auto small = std::find_if(children.begin(), children.end(), [this](const Child& child) { return child.bytes < threshold_; });
    const auto large = small - children.begin();
    const auto places = children.end() - small;
    sink_->Append(absl::StrCat(std::string(static_cast<size_t>(depth), ' '), "n", large + (places != 0 ? 1 : 0), ": ", bytes, " ",
                               line, "\n"));
    uint64_t rest = 0;
    for (auto child = small; child != children.end(); ++child) rest += child->bytes;
    for (auto child = children.begin(); child != small; ++child) {
      const std::string name = Escaped(ValgrindFrame(FrameAt(child->cursors[0])));
      for (Cursor& cursor : child->cursors) cursor = Caller(cursor);
      Write(name, child->bytes, std::move(child->cursors), depth + 1);
    }
    if (places == 0) return;
    sink_->Append(absl::StrCat(std::string(static_cast<size_t>(depth) + 1, ' '), "n0: ", rest, " in ", places,
                               places == 1 ? " place, below" : " places, all below", " massif's threshold (0.10%)\n"));
  }

  const NamedStacks& stacks_;
  uint64_t StackCounts::*const value_;
  ByteSink* const sink_;
  const uint64_t threshold_;
};

void Begin(int number, uint64_t time, uint64_t bytes, const char* tree, ByteSink* sink) {
  sink->Append(absl::StrCat("#-----------\nsnapshot=", number, "\n#-----------\ntime=", time, "\nmem_heap_B=", bytes,
                            "\nmem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=", tree, "\n"));
}

}  // namespace

void WriteMassif(const NamedStacks& stacks, ByteSink* sink) {
  const Snapshot& snapshot = stacks.snapshot();
  const StackCounts totals = stacks.totals();
  // ms_print refuses an end at time 0.
  const uint64_t end = std::max<uint64_t>(snapshot.events_bytes, 2);
  const uint64_t peak = std::clamp<uint64_t>(snapshot.peak.events_bytes, 1, end - 1);
  sink->Append("desc: by mallocspy");
  if (totals.peak_bytes != snapshot.peak_bytes) {
    sink->Append(absl::StrCat("; the peak was ", snapshot.peak_bytes, " bytes, and what it consisted of was recorded at ", totals.peak_bytes));
  } else if (snapshot.peak.is_end) {
    sink->Append("; the end is the peak");
  }
  sink->Append(absl::StrCat("\ncmd: ", Escaped(absl::StrJoin(snapshot.cmdline, " ")), "\ntime_unit: B\n"));
  Begin(0, 0, 0, "empty", sink);
  if (!snapshot.peak.is_end) {
    Begin(1, peak, totals.peak_bytes, "peak", sink);
    Tree(stacks, &StackCounts::peak_bytes, sink).Write();
  }
  Begin(snapshot.peak.is_end ? 1 : 2, end, totals.live_bytes, snapshot.peak.is_end ? "peak" : "detailed", sink);
  Tree(stacks, &StackCounts::live_bytes, sink).Write();
}

}  // namespace mallocspy
