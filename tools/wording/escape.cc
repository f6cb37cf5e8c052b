#include "tools/wording/escape.h"

#include <cstdint>

#include "absl/strings/str_cat.h"

namespace mallocspy {
namespace {

struct Character {
  uint32_t code = 0;
  size_t bytes = 1;
  bool valid = false;
};

// The character at the start of `text`, which is not empty. Rejects what RFC 3629 rejects: overlong forms,
// surrogates, codes beyond 0x10ffff.
Character Decode(absl::string_view text) {
  const auto byte = [&text](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return {byte(0), 1, true};
  const size_t bytes = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < bytes) return {};
  uint32_t code = byte(0) & (0x7f >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool overlong = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  if (overlong || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
  return {code, bytes, true};
}

bool TurnsDirection(uint32_t code) {
  return code == 0x061c || code == 0x200e || code == 0x200f || (code >= 0x202a && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069);
}

bool BreaksLine(uint32_t code) { return code == 0x2028 || code == 0x2029; }

}  // namespace

std::string Escaped(absl::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Character character = Decode(text);
    const absl::string_view bytes = text.substr(0, character.bytes);
    if (!character.valid || character.code < 0x20 || (character.code >= 0x7f && character.code < 0xa0)) {
      const uint32_t code = character.valid ? character.code : static_cast<unsigned char>(text[0]);
      absl::StrAppend(&result, "\\x", absl::Hex(code, absl::kZeroPad2));
    } else if (TurnsDirection(character.code) || BreaksLine(character.code)) {
      absl::StrAppend(&result, "\\u{", absl::Hex(character.code, absl::kZeroPad4), "}");
    } else {
      result.append(bytes.data(), bytes.size());
    }
    text.remove_prefix(character.bytes);
  }
  return result;
}

std::string ValidUtf8(absl::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Character character = Decode(text);
    if (character.valid) {
      result.append(text.data(), character.bytes);
    } else {
      result += "\xef\xbf\xbd";  // U+FFFD
    }
    text.remove_prefix(character.bytes);
  }
  return result;
}

}  // namespace mallocspy
