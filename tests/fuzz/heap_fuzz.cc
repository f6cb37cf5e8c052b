// Feeds arbitrary bytes to the reader of snapshots, and does with what it accepts all that the commands do: the graph, the explorer, the exports,
// the page, a diff with itself, the view of a running process.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "tools/explore/explorer.h"
#include "tools/export/formats.h"
#include "tools/live/top_view.h"
#include "tools/page/page_data.h"
#include "tools/reader/reader.h"
#include "tools/verdict/assessment.h"
#include "tools/verdict/heap_diff.h"

namespace {

using mallocspy::Snapshot;

// No file is opened for names: what a fuzzer would find there is in other projects.
Snapshot WithoutFiles(Snapshot snapshot) {
  for (mallocspy::SnapshotModule& module : snapshot.modules) module.path.insert(0, "/nowhere/");
  snapshot.file = "/nowhere/fuzz";
  return snapshot;
}

// Nothing that a terminal obeys.
bool IsPrintable(absl::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\r') || byte == 0x7f) return false;
  }
  return true;
}

void Explore(Snapshot snapshot) {
  const uint64_t address = snapshot.blocks.empty() ? 0 : snapshot.blocks[snapshot.blocks.size() / 2].address;
  mallocspy::ExploredHeap heap(std::move(snapshot), false);
  for (const auto format : {mallocspy::TableFormat::kTable, mallocspy::TableFormat::kJson, mallocspy::TableFormat::kCsv}) {
    mallocspy::Explorer explorer(&heap, format, format == mallocspy::TableFormat::kTable ? 80 : 0, [](absl::string_view text) {
      if (!IsPrintable(text)) abort();
      return true;
    });
    for (const char* const line : {"summary", "blocks", "stacks", "peak", "types", "leaks", "marks", "threads", "roots", "dominators", "retained all",
                                   "let a = blocks size>=1 mark>=1 reach=definite,indirect", "a | a - (a & a)", "blocks class=* function=* thread=1 door=malloc"}) {
      explorer.ExecuteLine(line).IgnoreError();
    }
    for (const char* const command : {"show", "refs", "refby", "path", "dominators"}) {
      explorer.Execute({command, std::to_string(address)}).IgnoreError();
    }
  }
}

void Export(const Snapshot& snapshot, mallocspy::FrameNamer* namer) {
  const mallocspy::NamedStacks stacks(snapshot, namer);
  for (const mallocspy::ExportFormat& format : mallocspy::ExportFormats()) {
    std::string text;
    mallocspy::ByteSink sink(&text);
    format.write(stacks, namer, &sink).IgnoreError();
    if (!sink.Finish().ok()) abort();
  }
}

void Watch(const Snapshot& snapshot) {
  mallocspy::TopView view;
  view.Add(snapshot, absl::FromUnixSeconds(1));
  view.SetBaseline();
  view.Add(snapshot, absl::FromUnixSeconds(2));
  for (const mallocspy::TopSort sort : mallocspy::kTopSorts) {
    for (const mallocspy::TopRow& row : view.Rows(sort, "")) view.Label(row.stack);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  absl::StatusOr<Snapshot> read = mallocspy::ReadSnapshot(mallocspy::MemorySource(bytes), "fuzz");
  if (!read.ok()) {
    if (!IsPrintable(read.status().message())) abort();
    return 0;
  }
  const std::vector<Snapshot> snapshots = {WithoutFiles(*std::move(read))};
  const Snapshot& snapshot = snapshots[0];
  mallocspy::FrameNamer namer(false);
  const std::vector<mallocspy::Findings> findings = {mallocspy::Assess(snapshot, {}, mallocspy::kAllLeaks, &namer)};
  mallocspy::PageData(findings, {snapshots, &namer});
  mallocspy::DiffHeaps(snapshot, snapshot, &namer);
  Export(snapshot, &namer);
  Watch(snapshot);
  Explore(snapshot);
  return 0;
}
