#include "spy/spies/faults/key_set.h"

#include <string.h>

#include "spy/spies/system.h"

namespace mallocspy::spies::faults {

bool ParseKey(const char* text, size_t bytes, uint64_t* key) {
  constexpr char kDigits[] = "0123456789abcdef";
  if (bytes != 16) return false;
  *key = 0;
  for (size_t i = 0; i < bytes; ++i) {
    const void* digit = memchr(kDigits, text[i], 16);
    if (digit == nullptr) return false;
    *key = *key << 4 | static_cast<uint64_t>(static_cast<const char*>(digit) - kDigits);
  }
  return true;
}

bool KeySet::Read(const char* path) {
  constexpr size_t kLineBytes = 17;
  size_t bytes;
  const void* file = system::MapFile(path, &bytes);
  if (file == nullptr) return false;
  const char* text = static_cast<const char*>(file);
  bool whole = bytes % kLineBytes == 0;
  for (size_t i = 0; whole && i < bytes; i += kLineBytes) {
    uint64_t key;
    whole = text[i + kLineBytes - 1] == '\n' && ParseKey(text + i, kLineBytes - 1, &key) && keys_.Append(key);
  }
  system::Unmap(const_cast<void*>(file), bytes);
  return whole;
}

bool KeySet::Has(uint64_t key) const {
  for (const uint64_t one : keys_) {
    if (one == key) return true;
  }
  return false;
}

}  // namespace mallocspy::spies::faults
