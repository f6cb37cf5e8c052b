// Numbers as text, where there is no C library to ask: in signal handlers, and before the first constructor.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mallocspy {

inline constexpr size_t kMostDecimalDigits = 20;  // of 64 bits

// Writes `value` at `at`, without a NUL; where it ends.
inline char* AppendDecimal(char* at, uint64_t value) {
  char digits[kMostDecimalDigits];
  size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (count > 0) *at++ = digits[--count];
  return at;
}

}  // namespace mallocspy
