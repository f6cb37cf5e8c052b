// The arguments of a built-in spy: KEY=VALUE, separated by commas.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace mallocspy::spies {

struct Argument {
  const char* text;
  size_t bytes;

  // Whether it begins with `key` ("file="); then its value.
  bool Is(const char* key, const char** value, size_t* value_bytes) const;
  // Whether it is `whole` and nothing else.
  bool Is(const char* whole) const;
};

// The number that is the whole of `text`; false if it is none, or not from `least` to `most`.
bool ParseNumber(const char* text, size_t bytes, uint64_t least, uint64_t most, uint64_t* number);

// Copies `text` with a NUL behind it; false if it is empty or has no room.
bool CopyText(const char* text, size_t bytes, char* copy, size_t copy_bytes);

// Takes the first argument off `args`; false if there is none.
bool NextArgument(const char** args, Argument* argument);

// "SPY: cannot use the argument 'file=': HINT", on standard error.
void ComplainOf(const Argument& argument, const char* spy, const char* hint);

}  // namespace mallocspy::spies
