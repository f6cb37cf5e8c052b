#include "tools/export/formats.h"

#include "tools/export/csv_export.h"
#include "tools/export/dhat_export.h"
#include "tools/export/folded_export.h"
#include "tools/export/heapsnapshot_export.h"
#include "tools/export/massif_export.h"
#include "tools/export/pprof_export.h"
#include "tools/export/speedscope_export.h"

namespace mallocspy {
namespace {

// For formats that need the stacks only and whose writing cannot go wrong.
template <void (*kWrite)(const NamedStacks&, ByteSink*)>
absl::Status Write(const NamedStacks& stacks, FrameNamer*, ByteSink* sink) {
  kWrite(stacks, sink);
  return absl::OkStatus();
}

absl::Status Folded(const NamedStacks& stacks, FrameNamer*, ByteSink* sink) {
  WriteFolded(stacks, &StackCounts::live_bytes, sink);
  return absl::OkStatus();
}

absl::Status Pprof(const NamedStacks& stacks, FrameNamer*, ByteSink* sink) { return WritePprof(stacks, sink); }

absl::Status Heapsnapshot(const NamedStacks& stacks, FrameNamer* namer, ByteSink* sink) {
  WriteHeapsnapshot(stacks, namer, sink);
  return absl::OkStatus();
}

absl::Status Csv(const NamedStacks& stacks, FrameNamer* namer, ByteSink* sink) {
  WriteCsv(stacks, namer, sink);
  return absl::OkStatus();
}

}  // namespace

const std::vector<ExportFormat>& ExportFormats() {
  static const std::vector<ExportFormat>* const kFormats = new std::vector<ExportFormat>{
      {"pprof", true, Pprof},
      {"folded", false, Folded},
      {"speedscope", false, Write<WriteSpeedscope>},
      {"dhat", false, Write<WriteDhat>},
      {"massif", false, Write<WriteMassif>},
      {"heapsnapshot", false, Heapsnapshot},
      {"csv", false, Csv},
  };
  return *kFormats;
}

std::vector<std::string> ExportFormatNames() {
  std::vector<std::string> names;
  for (const ExportFormat& format : ExportFormats()) names.emplace_back(format.name);
  return names;
}

}  // namespace mallocspy
