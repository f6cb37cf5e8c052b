#include "spy/spies/line.h"

#include <string.h>

namespace mallocspy::spies {
namespace {

constexpr size_t kMostPathBytes = 1024;

unsigned char Byte(const char* text, size_t i) { return static_cast<unsigned char>(text[i]); }

// Bytes of the character that begins here, 0 if it is not well formed.
size_t Utf8Bytes(const char* text) {
  const unsigned char first = Byte(text, 0);
  size_t bytes = 0;
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) bytes = 2;
  if (first >= 0xe0 && first <= 0xef) bytes = 3;
  if (first >= 0xf0 && first <= 0xf4) bytes = 4;
  for (size_t i = 1; i < bytes; ++i) {
    if ((Byte(text, i) & 0xc0) != 0x80) return 0;
  }
  if (bytes < 3) return bytes;
  // Too long forms, surrogates, beyond the last character.
  const unsigned char second = Byte(text, 1);
  const bool wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                     (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return wrong ? 0 : bytes;
}

char HexDigit(unsigned value) { return "0123456789abcdef"[value & 15]; }

}  // namespace

Line& Line::Text(const char* text) {
  while (*text != '\0') Char(*text++);
  return *this;
}

Line& Line::Number(uint64_t value) {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (count > 0) Char(digits[--count]);
  return *this;
}

Line& Line::Hex(uint64_t value) {
  Text("0x");
  int shift = 60;
  while (shift > 0 && (value >> shift) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) Char(HexDigit(static_cast<unsigned>(value >> shift)));
  return *this;
}

Line& Line::Key(uint64_t value) {
  for (int shift = 60; shift >= 0; shift -= 4) Char(HexDigit(static_cast<unsigned>(value >> shift & 15)));
  return *this;
}

Line& Line::Path(const char* path) {
  const size_t bytes = strlen(path);
  if (bytes > kMostPathBytes) path += bytes - kMostPathBytes;
  while (*path != '\0') {
    const size_t valid = Utf8Bytes(path);
    const unsigned char c = Byte(path, 0);
    if (valid == 0) {
      Text("\\ufffd");
    } else if (c == '"' || c == '\\') {
      Char('\\').Char(*path);
    } else if (c < 0x20 || c == 0x7f) {
      Text("\\u00").Char(HexDigit(c >> 4)).Char(HexDigit(c));
    } else {
      for (size_t i = 0; i < valid; ++i) Char(path[i]);
    }
    path += valid == 0 ? 1 : valid;
  }
  return *this;
}

}  // namespace mallocspy::spies
