#include "spy/spies/trace/settings.h"

#include "spy/spies/arguments.h"

namespace mallocspy::spies::trace {
namespace {

bool Set(const Argument& argument, Settings* settings) {
  const char* value;
  size_t bytes;
  uint64_t number;
  if (argument.Is("file=", &value, &bytes)) return CopyText(value, bytes, settings->file, sizeof(settings->file));
  if (argument.Is("limit_mb=", &value, &bytes)) {
    if (!ParseNumber(value, bytes, 1, 1048576, &number)) return false;
    settings->limit_bytes = number << 20;
    return true;
  }
  if (argument.Is("buffer_kb=", &value, &bytes)) {
    if (!ParseNumber(value, bytes, 0, 16384, &number)) return false;
    settings->buffer_bytes = static_cast<size_t>(number) << 10;
    return true;
  }
  settings->json = argument.Is("format=json");
  return settings->json || argument.Is("format=text");
}

}  // namespace

bool ParseSettings(const char* args, Settings* settings) {
  Argument argument;
  while (NextArgument(&args, &argument)) {
    if (Set(argument, settings)) continue;
    ComplainOf(argument, "mallocspy_trace",
               "give file=PATH, limit_mb=1..1048576, format=text|json or buffer_kb=0..16384, separated by commas");
    return false;
  }
  return true;
}

}  // namespace mallocspy::spies::trace
