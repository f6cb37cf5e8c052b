// pprof's profile.proto, compressed: allocated and live blocks and bytes of each stack, exact.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "tools/export/byte_sink.h"
#include "tools/export/named_stacks.h"

namespace mallocspy {

// The file in *out. An error if it would be larger than the format allows (2 GiB).
absl::Status WritePprof(const Snapshot& snapshot, FrameNamer* namer, std::string* out);

absl::Status WritePprof(const NamedStacks& stacks, ByteSink* sink);

}  // namespace mallocspy
