#include "spy/spies/trace/settings.h"

#include <string.h>

#include "spy/spies/trace/line.h"

namespace mallocspy::trace {
namespace {

// The number that is the whole of `text`, or a negative one.
int64_t ParseNumber(const char* text, size_t bytes, int64_t most) {
  int64_t value = 0;
  if (bytes == 0) return -1;
  for (size_t i = 0; i < bytes; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
    if (value > most) return -1;
  }
  return value;
}

bool ParseSetting(const char* text, size_t bytes, Settings* settings) {
  auto value_of = [text, bytes](const char* key, const char** value, size_t* value_bytes) {
    const size_t key_bytes = strlen(key);
    if (bytes < key_bytes || memcmp(text, key, key_bytes) != 0) return false;
    *value = text + key_bytes;
    *value_bytes = bytes - key_bytes;
    return true;
  };
  const char* value;
  size_t value_bytes;
  if (value_of("file=", &value, &value_bytes)) {
    if (value_bytes == 0 || value_bytes >= sizeof(settings->file)) return false;
    memcpy(settings->file, value, value_bytes);
    settings->file[value_bytes] = '\0';
    return true;
  }
  if (value_of("limit_mb=", &value, &value_bytes)) {
    const int64_t number = ParseNumber(value, value_bytes, 1048576);
    if (number < 1) return false;
    settings->limit_bytes = static_cast<uint64_t>(number) << 20;
    return true;
  }
  if (value_of("buffer_kb=", &value, &value_bytes)) {
    const int64_t number = ParseNumber(value, value_bytes, 16384);
    if (number < 0) return false;
    settings->buffer_bytes = static_cast<size_t>(number) << 10;
    return true;
  }
  if (value_of("format=", &value, &value_bytes)) {
    settings->json = value_bytes == 4 && memcmp(value, "json", 4) == 0;
    return settings->json || (value_bytes == 4 && memcmp(value, "text", 4) == 0);
  }
  return false;
}

}  // namespace

bool ParseSettings(const char* args, Settings* settings) {
  while (*args != '\0') {
    const char* comma = strchr(args, ',');
    const size_t bytes = comma == nullptr ? strlen(args) : static_cast<size_t>(comma - args);
    if (!ParseSetting(args, bytes, settings)) {
      char given[256] = {};
      memcpy(given, args, bytes < sizeof(given) ? bytes : sizeof(given) - 1);
      Line line;
      line.Text("mallocspy_trace: cannot use the argument '").Path(given);
      line.Text("'; give file=PATH, limit_mb=1..1048576, format=text|json or buffer_kb=0..16384, separated by commas");
      line.End();
      system::WriteToStandardError(line.data(), line.size());
      return false;
    }
    args += bytes + (comma == nullptr ? 0 : 1);
  }
  return true;
}

}  // namespace mallocspy::trace
