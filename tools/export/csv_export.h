// A table (RFC 4180): a row for each live block, or, of a process that did not come to its end in order, for each stack that has some.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "tools/export/byte_sink.h"
#include "tools/export/named_stacks.h"

namespace mallocspy {

void WriteCsv(const NamedStacks& stacks, FrameNamer* namer, ByteSink* sink);

// A field as it stands in the table: quoted where it must be, and with an apostrophe in front of what a spreadsheet would take for a
// formula.
std::string CsvField(absl::string_view text);

}  // namespace mallocspy
