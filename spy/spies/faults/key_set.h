// Stacks by their keys, as the fault spy's list and `mallocspy oom` write them.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "spy/spies/growing_array.h"

namespace mallocspy::spies::faults {

// 16 hexadecimal digits in lower case; false if it is anything else.
bool ParseKey(const char* text, size_t bytes, uint64_t* key);

class KeySet {
 public:
  constexpr KeySet() = default;

  // A key on each line of the file. False if there is no such file, or another line.
  bool Read(const char* path);
  bool Has(uint64_t key) const;

 private:
  GrowingArray<uint64_t> keys_;
};

}  // namespace mallocspy::spies::faults
