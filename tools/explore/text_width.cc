#include "tools/explore/text_width.h"

#include "absl/strings/str_cat.h"

namespace mallocspy {
namespace {

bool BeginsCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

}  // namespace

size_t TextWidth(absl::string_view text) {
  size_t width = 0;
  for (const char byte : text) width += BeginsCharacter(byte) ? 1 : 0;
  return width;
}

std::string CutToWidth(absl::string_view text, size_t width) {
  if (TextWidth(text) <= width) return std::string(text);
  size_t end = 0;
  for (size_t left = width; end < text.size(); ++end) {
    if (!BeginsCharacter(text[end])) continue;
    if (--left == 0) break;
  }
  return absl::StrCat(text.substr(0, end), "\u2026");
}

}  // namespace mallocspy
