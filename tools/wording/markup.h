// Text as data within XML, HTML and Markdown. Line feeds stay where the format allows them; everything else that
// Escaped() makes visible is made visible here too, so that bytes of unknown origin give a valid document.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace mallocspy {

// For the content of an XML or HTML element, in which lines stay lines.
std::string MarkupText(absl::string_view text);

// For the value of an attribute, within double quotes. Line feeds become references, so that parsers keep them.
std::string MarkupAttribute(absl::string_view text);

// A code span of Markdown on one line: nothing in it is markup, a mention or a link. `text` must not be empty.
std::string MarkdownCode(absl::string_view text);

// The same within a cell of a table, which nothing in it ends.
std::string MarkdownCell(absl::string_view text);

}  // namespace mallocspy
