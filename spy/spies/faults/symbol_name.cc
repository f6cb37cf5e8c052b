#include "spy/spies/faults/symbol_name.h"

#include <stddef.h>
#include <string.h>

namespace mallocspy::spies::faults {
namespace {

struct Part {
  const char* text;
  size_t bytes;

  bool operator==(const Part& other) const { return bytes == other.bytes && memcmp(text, other.text, bytes) == 0; }
};

// The scopes and the name of a function, outermost first.
struct Parts {
  static constexpr size_t kMost = 32;
  Part part[kMost];
  size_t count = 0;

  void Add(const char* text, size_t bytes) {
    if (count < kMost) part[count++] = {text, bytes};
  }
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// <source-name>: its length in decimal, then so many characters. Null if it is none.
const char* ReadSourceName(const char* text, Part* part) {
  size_t bytes = 0;
  while (IsDigit(*text) && bytes < 100000) bytes = bytes * 10 + static_cast<size_t>(*text++ - '0');
  if (bytes == 0 || strnlen(text, bytes) < bytes) return nullptr;
  *part = {text, bytes};
  return text + bytes;
}

// Behind the <template-args> that begin at `text`, by counting what opens and what closes; null if they do not end.
const char* SkipTemplateArguments(const char* text) {
  int open = 0;
  while (*text != '\0') {
    Part skipped;
    if (IsDigit(*text)) {
      text = ReadSourceName(text, &skipped);
      if (text == nullptr) return nullptr;
      continue;
    }
    if (*text == 'L' && text[1] >= 'a' && text[1] <= 'z') {
      // A literal of a built-in type: its digits are no name.
      text = strchr(text, 'E');
      if (text == nullptr) return nullptr;
      ++text;
      continue;
    }
    if (*text == 'I' || *text == 'N' || *text == 'X' || *text == 'J' || *text == 'F' || *text == 'L') ++open;
    if (*text == 'E' && --open == 0) return text + 1;
    ++text;
  }
  return nullptr;
}

// False if it is no mangled name of an ordinary function.
bool ReadMangled(const char* symbol, Parts* parts) {
  if (symbol[0] != '_' || symbol[1] != 'Z') return false;
  const char* text = symbol + 2;
  const bool nested = *text == 'N';
  if (nested) ++text;
  while (nested && (*text == 'r' || *text == 'V' || *text == 'K' || *text == 'R' || *text == 'O')) ++text;
  for (;;) {
    Part part;
    if (*text == 'L' && IsDigit(text[1])) ++text;  // internal linkage
    if (IsDigit(*text)) {
      text = ReadSourceName(text, &part);
      if (text == nullptr) return false;
      parts->Add(part.text, part.bytes);
      if (!nested) return true;
    } else if (text[0] == 'S' && text[1] == 't') {
      parts->Add("std", 3);
      text += 2;
    } else if (!nested) {
      return false;
    } else if (*text == 'I') {
      text = SkipTemplateArguments(text);
      if (text == nullptr) return false;
    } else if ((text[0] == 'C' || text[0] == 'D') && IsDigit(text[1]) && parts->count != 0) {
      parts->Add(parts->part[parts->count - 1].text, parts->part[parts->count - 1].bytes);
      text += 2;
    } else if (text[0] == 'B' && IsDigit(text[1])) {  // an ABI tag
      text = ReadSourceName(text + 1, &part);
      if (text == nullptr) return false;
    } else {
      return *text == 'E' && parts->count != 0;
    }
  }
}

void ReadPlain(const char* name, Parts* parts) {
  for (;;) {
    const char* colons = strstr(name, "::");
    if (colons == nullptr) break;
    if (colons != name) parts->Add(name, static_cast<size_t>(colons - name));
    name = colons + 2;
  }
  parts->Add(name, strlen(name));
}

}  // namespace

bool IsFunctionNamed(const char* symbol, const char* name) {
  if (strcmp(symbol, name) == 0) return true;
  Parts there;
  if (!ReadMangled(symbol, &there)) return false;
  Parts asked;
  ReadPlain(name, &asked);
  if (asked.count > there.count) return false;
  for (size_t i = 0; i < asked.count; ++i) {
    if (!(asked.part[asked.count - 1 - i] == there.part[there.count - 1 - i])) return false;
  }
  return true;
}

}  // namespace mallocspy::spies::faults
