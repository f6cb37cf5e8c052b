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
  Tree(const NamedStacks& stacks, ByteSink* sink)
      : stacks_(stacks), sink_(sink), threshold_(stacks.totals().live_bytes / 1000 * kThousandths) {}

  void Write() {
    std::vector<Cursor> cursors;
    for (const NamedStack& stack : stacks_.stacks()) {
      if (stack.counts.live_bytes != 0) cursors.push_back({stack.node, 0, stack.counts.live_bytes});
    }
    Write("(heap allocation functions) malloc/new/new[], --alloc-fns, etc.", stacks_.totals().live_bytes, std::move(cursors), 0);
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
  ByteSink* const sink_;
  const uint64_t threshold_;
};

void Begin(int number, uint64_t milliseconds, uint64_t bytes, const char* tree, ByteSink* sink) {
  sink->Append(absl::StrCat("#-----------\nsnapshot=", number, "\n#-----------\ntime=", milliseconds, "\nmem_heap_B=", bytes,
                            "\nmem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=", tree, "\n"));
}

}  // namespace

void WriteMassif(const NamedStacks& stacks, ByteSink* sink) {
  const Snapshot& snapshot = stacks.snapshot();
  const uint64_t live_bytes = stacks.totals().live_bytes;
  // ms_print refuses an end at time 0.
  const uint64_t end = snapshot.ended_ns > snapshot.started_ns ? std::max<uint64_t>((snapshot.ended_ns - snapshot.started_ns) / 1000000, 2) : 2;
  const bool peak_is_end = snapshot.peak_bytes <= live_bytes;
  sink->Append(absl::StrCat("desc: by mallocspy; ", peak_is_end ? "the end is the peak" : "the time of the peak is not known, nor what it consisted of",
                            "\ncmd: ", Escaped(absl::StrJoin(snapshot.cmdline, " ")), "\ntime_unit: ms\n"));
  Begin(0, 0, 0, "empty", sink);
  if (!peak_is_end) Begin(1, end / 2, snapshot.peak_bytes, "empty", sink);
  Begin(peak_is_end ? 1 : 2, end, live_bytes, peak_is_end ? "peak" : "detailed", sink);
  Tree(stacks, sink).Write();
}

}  // namespace mallocspy
