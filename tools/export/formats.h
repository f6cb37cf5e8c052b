// The formats of other programs' profiles and heap snapshots.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tools/export/byte_sink.h"
#include "tools/export/named_stacks.h"

namespace mallocspy {

struct ExportFormat {
  const char* name;
  bool binary;
  absl::Status (*write)(const NamedStacks& stacks, FrameNamer* namer, ByteSink* sink);
};

const std::vector<ExportFormat>& ExportFormats();

// "pprof", "folded", ...
std::vector<std::string> ExportFormatNames();

}  // namespace mallocspy
