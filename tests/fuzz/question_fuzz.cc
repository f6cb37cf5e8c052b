// Feeds arbitrary text to the explorer, line by line, with a small heap to ask about.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/str_split.h"
#include "tests/tools/explore/sample_heap.h"
#include "tools/explore/explorer.h"
#include "tools/reader/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static mallocspy::ExploredHeap& heap = *[] {
    const std::string bytes = mallocspy::SampleHeap().Bytes();
    return new mallocspy::ExploredHeap(mallocspy::ReadSnapshot(mallocspy::MemorySource(bytes), "sample").value(), false);
  }();
  const std::string text(reinterpret_cast<const char*>(data), size);
  mallocspy::Explorer explorer(&heap, mallocspy::TableFormat::kTable, 80, [](absl::string_view) { return true; });
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const absl::Status done = explorer.ExecuteLine(line);
    // What is wrong is said in one line that is safe to print.
    for (const char c : done.message()) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) abort();
    }
    if (!done.ok() && done.message().empty()) abort();
  }
  return 0;
}
