#include "spy/spies/arguments.h"

#include <string.h>

#include "spy/spies/line.h"
#include "spy/spies/system.h"

namespace mallocspy::spies {

bool Argument::Is(const char* key, const char** value, size_t* value_bytes) const {
  const size_t key_bytes = strlen(key);
  if (bytes < key_bytes || memcmp(text, key, key_bytes) != 0) return false;
  *value = text + key_bytes;
  *value_bytes = bytes - key_bytes;
  return true;
}

bool Argument::Is(const char* whole) const { return bytes == strlen(whole) && memcmp(text, whole, bytes) == 0; }

bool ParseNumber(const char* text, size_t bytes, uint64_t least, uint64_t most, uint64_t* number) {
  uint64_t value = 0;
  if (bytes == 0) return false;
  for (size_t i = 0; i < bytes; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    const uint64_t digit = static_cast<uint64_t>(text[i] - '0');
    if (value > (UINT64_MAX - digit) / 10) return false;
    value = value * 10 + digit;
  }
  if (value < least || value > most) return false;
  *number = value;
  return true;
}

bool CopyText(const char* text, size_t bytes, char* copy, size_t copy_bytes) {
  if (bytes == 0 || bytes >= copy_bytes) return false;
  memcpy(copy, text, bytes);
  copy[bytes] = '\0';
  return true;
}

bool NextArgument(const char** args, Argument* argument) {
  if (**args == '\0') return false;
  const char* comma = strchr(*args, ',');
  *argument = {*args, comma == nullptr ? strlen(*args) : static_cast<size_t>(comma - *args)};
  *args += argument->bytes + (comma == nullptr ? 0 : 1);
  return true;
}

void ComplainOf(const Argument& argument, const char* spy, const char* hint) {
  char given[256] = {};
  memcpy(given, argument.text, argument.bytes < sizeof(given) ? argument.bytes : sizeof(given) - 1);
  Line line;
  line.Text(spy).Text(": cannot use the argument '").Path(given).Text("'; ").Text(hint).End();
  system::WriteToStandardError(line.data(), line.size());
}

}  // namespace mallocspy::spies
