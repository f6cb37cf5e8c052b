#include "tools/page/page_data.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "tools/page/picture_json.h"
#include "tools/page/script_text.h"
#include "tools/page/stack_tree.h"
#include "tools/report/summary_text.h"
#include "tools/verdict/process_summary.h"

namespace mallocspy {
namespace {

using Json = nlohmann::ordered_json;

Json FramesJson(const StackTree& tree) {
  Json json;
  for (const char* column : {"module", "function", "file", "line", "offset", "inlined"}) json[column] = Json::array();
  for (const TreeFrame& frame : tree.frames()) {
    json["module"].push_back(frame.module);
    json["function"].push_back(frame.function);
    json["file"].push_back(frame.file);
    json["line"].push_back(frame.line);
    json["offset"].push_back(frame.function == 0 ? absl::StrCat("0x", absl::Hex(frame.offset)) : "");
    json["inlined"].push_back(frame.inlined ? 1 : 0);
  }
  return json;
}

Json NodesJson(const StackTree& tree) {
  Json parents = Json::array();
  Json frames = Json::array();
  for (uint32_t i = 0; i < tree.nodes().size(); ++i) {
    parents.push_back(i - tree.nodes()[i].parent);
    frames.push_back(tree.nodes()[i].frame);
  }
  return {{"parent", std::move(parents)}, {"frame", std::move(frames)}};
}

// The document; the tree is written last, when everything is in it.
std::string Document(const char* kind, const std::string& headline, Json pictures, Json changes,
                     const StackTree& tree) {
  Json json;
  json["schema"] = "mallocspy-page/1";
  json["kind"] = kind;
  json["headline"] = headline;
  json["doors"] = Json::array();
  for (uint32_t door = 0; door < kDoors; ++door) json["doors"].push_back(std::string(NameOf(static_cast<Door>(door))));
  json["pictures"] = std::move(pictures);
  if (!changes.is_null()) json["changes"] = std::move(changes);
  json["texts"] = tree.texts();
  json["frames"] = FramesJson(tree);
  json["nodes"] = NodesJson(tree);
  return ScriptText(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

const Snapshot* SnapshotOf(const Process& process, absl::Span<const Snapshot> snapshots) {
  const auto found = std::find_if(snapshots.begin(), snapshots.end(), [&process](const Snapshot& snapshot) {
    return snapshot.pid == process.pid && snapshot.started_ns == process.started_ns &&
           snapshot.ended_ns == process.ended_ns;
  });
  return found == snapshots.end() ? nullptr : &*found;
}

Json ChangeJson(const LeakChange& change, StackTree* tree) {
  Json json;
  json["change"] = std::string(NameOf(change.kind));
  json["class"] = std::string(NameOf(change.kind == LeakChange::Kind::kGone ? change.worst_before : change.worst_now));
  json["id"] = change.leak.id;
  json["node"] = tree->AddStack(change.leak.frames);
  json["before"] = TotalJson(change.before);
  json["now"] = TotalJson(change.now);
  return json;
}

}  // namespace

std::string PageData(const std::vector<Findings>& reports, const PageSource& source) {
  StackTree tree(StackTree::Merge::kByPlace);
  Json pictures = Json::array();
  for (const Findings* findings : EveryProcess(reports)) {
    pictures.push_back(PictureJson(*findings, SnapshotOf(findings->process, source.snapshots), source.namer, &tree));
  }
  return Document("report", Answer(Summarize(reports)), std::move(pictures), Json(), tree);
}

std::string DiffPageData(const DiffSide& before, const DiffSide& now, const std::vector<LeakChange>& changes,
                         FrameNamer* namer) {
  StackTree tree(StackTree::Merge::kByFunction);
  Json pictures = Json::array();
  for (const DiffSide* side : {&now, &before}) {
    pictures.push_back(
        PictureJson(side->findings, side->snapshots.empty() ? nullptr : side->snapshots.data(), namer, &tree));
    pictures.back()["label"] = JsonTextOf(side->file);
  }
  Json list = Json::array();
  uint64_t more = 0;
  uint64_t less = 0;
  for (const LeakChange& change : changes) {
    list.push_back(ChangeJson(change, &tree));
    more += change.kind == LeakChange::Kind::kNew || change.kind == LeakChange::Kind::kGrown ? 1 : 0;
    less += change.kind == LeakChange::Kind::kGone || change.kind == LeakChange::Kind::kShrunk ? 1 : 0;
  }
  const std::string headline = absl::StrCat("diff: ", more, " new or grown, ", less, " gone or shrunk, ",
                                            changes.size() - more - less, " the same");
  return Document("diff", headline, std::move(pictures), std::move(list), tree);
}

}  // namespace mallocspy
