#include "tools/explore/content_answers.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/reader/block_contents.h"

namespace mallocspy {
namespace {

constexpr uint64_t kWordBytes = 8;
constexpr uint64_t kRowBytes = 16;

// "31 32 00 00 00 00 00 00  41 ..."
std::string HexText(absl::string_view bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : i == kRowBytes / 2 ? "  " : " ", absl::StrFormat("%02x", static_cast<unsigned char>(bytes[i])));
  }
  return text;
}

std::string VisibleText(absl::string_view bytes) {
  std::string text(bytes);
  for (char& c : text) c = c >= ' ' && c <= '~' ? c : '.';
  return text;
}

// What lies at an address that is in no block: a function, a variable, or at least a module; empty if it is none of these.
std::string NameOfAddress(uint64_t address, ExploredHeap* heap) {
  const Snapshot& snapshot = heap->snapshot();
  for (uint32_t i = 1; i < snapshot.modules.size(); ++i) {
    const SnapshotModule& module = snapshot.modules[i];
    if (module.unloaded || address < module.start || address >= module.end) continue;
    const std::string in = absl::StrCat(" in ", module.path.substr(module.path.rfind('/') + 1));
    const uint64_t offset = address - module.bias;
    if (const DataSymbol variable = heap->namer().FindData(module, offset); !variable.name.empty()) {
      const uint64_t inside = offset - variable.start;
      return absl::StrCat(variable.name, inside != 0 ? absl::StrCat("+0x", absl::Hex(inside)) : "", in);
    }
    // Sites are places that calls return to, one behind what they belong to.
    const std::vector<SourceFrame>& functions =
        heap->namer().SourcesOf(snapshot, uint64_t{i} << ledger::kSiteModuleShift | ((offset + 1) & ledger::kSiteOffsetMask));
    if (!functions.empty() && !functions.back().function.empty()) return absl::StrCat(functions.back().function, in);
    return absl::StrCat("0x", absl::Hex(offset), in);
  }
  return "";
}

void AddWord(uint64_t at, uint64_t value, bool named_only, ExploredHeap* heap, Rows* rows) {
  std::string name = NameOfAddress(value, heap);
  if (name.empty() && named_only) return;
  rows->push_back({at, value, name.empty() ? "memory of no block" : std::move(name)});
}

}  // namespace

absl::Status AddContents(const Question& question, uint32_t block, ExploredHeap* heap, Answer* answer) {
  const Snapshot& snapshot = heap->snapshot();
  Rows words;
  if (snapshot.contents == ledger::Contents::kNone) {
    if (snapshot.has_graph) answer->notes.emplace_back("What is in it was not written; 'mallocspy dump --contents=full PID' does.");
    return absl::OkStatus();
  }
  if (snapshot.contents == ledger::Contents::kPointers) {
    auto word = std::partition_point(snapshot.content_words.begin(), snapshot.content_words.end(),
                                     [block](const SnapshotContentWord& each) { return each.block < block; });
    for (; word != snapshot.content_words.end() && word->block == block; ++word) {
      AddWord(word->word * kWordBytes, word->value, false, heap, &words);
    }
    words.resize(ShownRows(question, words.size(), answer));
  } else {
    const absl::StatusOr<std::unique_ptr<BlockContents>> contents = BlockContents::Open(snapshot);
    if (!contents.ok()) return contents.status();
    const uint64_t size = snapshot.blocks[block].size;
    const uint64_t shown = ShownRows(question, size / kRowBytes + (size % kRowBytes != 0 ? 1 : 0), answer);
    const absl::StatusOr<std::string> bytes = (*contents)->Read(block, 0, std::min(size, shown * kRowBytes));
    if (!bytes.ok()) return bytes.status();
    Rows rows;
    for (uint64_t at = 0; at < bytes->size(); at += kRowBytes) {
      const std::string row = bytes->substr(at, kRowBytes);
      rows.push_back({at, HexText(row), VisibleText(row)});
    }
    answer->tables.push_back(Table::Of("contents", {{"at", Column::Kind::kNumber}, {"bytes"}, {"text"}}, std::move(rows)));
    for (uint64_t at = 0; at + kWordBytes <= bytes->size(); at += kWordBytes) {
      uint64_t value;
      std::memcpy(&value, bytes->data() + at, sizeof(value));
      AddWord(at, value, true, heap, &words);
    }
  }
  answer->tables.push_back(
      Table::Of("words", {{"at", Column::Kind::kNumber}, {"value", Column::Kind::kAddress}, {"points_to"}}, std::move(words)));
  return absl::OkStatus();
}

}  // namespace mallocspy
