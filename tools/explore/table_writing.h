// Tables as text for people, as JSON and as CSV.
//
//   table  columns of one width, numbers to the right, sizes also as people read them; texts are cut to fit `width`
//   json   one line: {"command": "blocks", "rows": [{...}, ...], "notes": [...]}
//   csv    RFC 4180 with a line of headings; an empty line between tables
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/explore/table.h"

namespace mallocspy {

enum class TableFormat { kTable, kJson, kCsv };

std::optional<TableFormat> ParseTableFormat(absl::string_view word);
std::vector<std::string> TableFormats();

// Takes what is written, piece by piece. False: nothing more is wanted.
using TextSink = std::function<bool(absl::string_view)>;

// `width`: columns of the terminal, 0 for no limit. False if the sink said so.
bool WriteAnswer(const Answer& answer, absl::string_view command, TableFormat format, size_t width, const TextSink& sink);

}  // namespace mallocspy
