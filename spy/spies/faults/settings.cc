#include "spy/spies/faults/settings.h"

#include "spy/spies/arguments.h"
#include "spy/spies/faults/key_set.h"

namespace mallocspy::spies::faults {
namespace {

constexpr char kHint[] =
    "give nth=N, every=N, probability=P, stacks=once or stack=ID (what fails), above=BYTES, after_mark=N, within=NAME, outside=NAME or "
    "children=0|1 or stacks_in=FILE (among which), seed=N, limit=N, list=FILE, fork=FILE or seconds=N, separated by commas";

// "0.01" in 2^-53, from 0 to 1.
bool ParseProbability(const char* text, size_t bytes, uint64_t* probability) {
  double value = 0;
  double place = 1;
  bool fraction = false;
  bool digits = false;
  for (size_t i = 0; i < bytes; ++i) {
    if (text[i] == '.' && !fraction) {
      fraction = true;
      continue;
    }
    if (text[i] < '0' || text[i] > '9') return false;
    digits = true;
    if (fraction) place /= 10;
    value = fraction ? value + place * (text[i] - '0') : value * 10 + (text[i] - '0');
  }
  if (!digits || value > 1) return false;
  *probability = static_cast<uint64_t>(value * static_cast<double>(uint64_t{1} << 53));
  return true;
}

bool AddName(const char* text, size_t bytes, uint32_t* set, Settings* settings) {
  if (settings->name_count == kMostNames) return false;
  if (!CopyText(text, bytes, settings->names[settings->name_count], kNameBytes)) return false;
  *set |= uint32_t{1} << settings->name_count++;
  return true;
}

bool Set(const Argument& argument, Settings* settings) {
  const char* value;
  size_t bytes;
  if (argument.Is("nth=", &value, &bytes)) return ParseNumber(value, bytes, 1, UINT64_MAX, &settings->nth);
  if (argument.Is("every=", &value, &bytes)) return ParseNumber(value, bytes, 1, UINT64_MAX, &settings->every);
  if (argument.Is("probability=", &value, &bytes)) return settings->random = ParseProbability(value, bytes, &settings->probability);
  if (argument.Is("seed=", &value, &bytes)) return ParseNumber(value, bytes, 0, UINT64_MAX, &settings->seed);
  if (argument.Is("above=", &value, &bytes)) return ParseNumber(value, bytes, 0, UINT64_MAX, &settings->above);
  if (argument.Is("after_mark=", &value, &bytes)) return ParseNumber(value, bytes, 1, UINT64_MAX, &settings->after_mark);
  if (argument.Is("limit=", &value, &bytes)) return ParseNumber(value, bytes, 1, UINT64_MAX, &settings->limit);
  if (argument.Is("within=", &value, &bytes)) return AddName(value, bytes, &settings->within, settings);
  if (argument.Is("outside=", &value, &bytes)) return AddName(value, bytes, &settings->outside, settings);
  if (argument.Is("stack=", &value, &bytes)) return ParseKey(value, bytes, &settings->stack) && settings->stack != 0;
  if (argument.Is("list=", &value, &bytes)) return CopyText(value, bytes, settings->list, sizeof(settings->list));
  if (argument.Is("stacks_in=", &value, &bytes)) return CopyText(value, bytes, settings->stacks_in, sizeof(settings->stacks_in));
  if (argument.Is("fork=", &value, &bytes)) return CopyText(value, bytes, settings->fork, sizeof(settings->fork));
  if (argument.Is("seconds=", &value, &bytes)) return ParseNumber(value, bytes, 1, 1000000, &settings->seconds);
  if (argument.Is("stacks=once")) return settings->first_of_each_stack = true;
  if (argument.Is("children=1")) return settings->children = true;
  if (argument.Is("children=0")) {
    settings->children = false;
    return true;
  }
  return false;
}

}  // namespace

bool ParseSettings(const char* args, Settings* settings) {
  Argument argument;
  bool any = false;
  while (NextArgument(&args, &argument)) {
    if (!Set(argument, settings)) {
      ComplainOf(argument, "mallocspy_faults", kHint);
      return false;
    }
    any = true;
  }
  if (!any) {
    ComplainOf({"", 0}, "mallocspy_faults", kHint);
    return false;
  }
  return true;
}

}  // namespace mallocspy::spies::faults
