#include "tools/export/csv_export.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tools/export/block_name.h"
#include "tools/graph/type_names.h"
#include "tools/verdict/leak_groups.h"
#include "tools/verdict/own_program.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

// The end of a row: the innermost function that is the user's own, or the innermost one.
std::string Place(const NamedStacks& stacks, const NamedStack& stack) {
  const Frame* place = nullptr;
  for (const uint32_t site : stacks.SitesOf(stack)) {
    const NamedSite& named = stacks.sites()[site];
    const std::string& path = stacks.snapshot().modules[named.module].path;
    if (place == nullptr) place = &named.frames[0];
    if (path.empty() || IsSystemPath(path)) continue;
    place = &named.frames[0];
    break;
  }
  if (place == nullptr) return ",,,";
  return absl::StrCat(CsvField(FrameName(*place)), ",", CsvField(place->file), ",",
                      place->line != 0 ? absl::StrCat(place->line) : "", ",", CsvField(place->module));
}

}  // namespace

std::string CsvField(absl::string_view text) {
  std::string field = Escaped(text);  // the table may go to a terminal
  if (!field.empty() && absl::string_view("=+-@\t\r\n").find(field[0]) != absl::string_view::npos) field = absl::StrCat("'", field);
  if (field.find_first_of("\",\r\n") == std::string::npos) return field;
  return absl::StrCat("\"", absl::StrReplaceAll(field, {{"\"", "\"\""}}), "\"");
}

void WriteCsv(const NamedStacks& stacks, FrameNamer* namer, ByteSink* sink) {
  const Snapshot& snapshot = stacks.snapshot();
  sink->Append("address,blocks,bytes,door,mark,class,shape,type,stack,function,file,line,module\r\n");
  std::vector<std::string> places(snapshot.stacks.size(), ",,,");
  for (const NamedStack& stack : stacks.stacks()) places[stack.index] = Place(stacks, stack);
  if (!snapshot.blocks_known) {
    for (const NamedStack& stack : stacks.stacks()) {
      if (stack.counts.live_blocks == 0) continue;
      sink->Append(absl::StrCat(",", stack.counts.live_blocks, ",", stack.counts.live_bytes, ",", NameOf(stack.door),
                                ",,unknown,,,", stack.index, ",", places[stack.index], "\r\n"));
    }
    return;
  }
  std::vector<std::string> types = ClassNames(snapshot, namer);
  for (std::string& type : types) type = CsvField(type);
  for (const SnapshotBlock& block : snapshot.blocks) {
    if (!IsOwn(snapshot, block)) continue;
    const bool destroyed = (block.flags & ledger::kBlockHeaderDestroyed) != 0;
    const uint32_t stack = destroyed ? 0 : block.stack;
    sink->Append(absl::StrCat("0x", absl::Hex(block.address), ",1,", destroyed ? 0 : block.size, ",",
                              destroyed ? "" : NameOf(block.door), ",",
                              destroyed ? "" : absl::StrCat(block.mark + snapshot.marks_dropped), ",", ReachWord(block.reach), ",",
                              block.shape == ledger::Shape::kUnknown ? "" : ShapeWord(block.shape), ","));
    sink->Append(absl::StrCat(types[block.type], ",", stack, ",", places[stack], "\r\n"));
  }
}

}  // namespace mallocspy
