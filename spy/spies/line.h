// A line of text in the making, in a fixed buffer.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace mallocspy::spies {

// What does not fit is cut; the longest line has about 7 KiB (a path of 1 KiB, all of it escaped). Too big for the
// stack of a thread that allocates: it belongs into the spy's own memory.
class Line {
 public:
  constexpr Line() = default;

  void Clear() { size_ = 0; }
  Line& Char(char c) {
    if (size_ < sizeof(data_) - 1) data_[size_++] = c;
    return *this;
  }
  Line& Text(const char* text);
  Line& Number(uint64_t value);
  Line& Hex(uint64_t value);
  Line& Key(uint64_t value);  // 16 digits without "0x"
  Line& Pointer(const void* pointer) { return Hex(reinterpret_cast<uint64_t>(pointer)); }
  // A path (of a long one the last 1024 bytes) as the inside of a JSON string. In text as well, so that no name can
  // forge a line; what is no UTF-8 becomes U+FFFD.
  Line& Path(const char* path);
  // The newline always fits.
  Line& End() {
    data_[size_++] = '\n';
    return *this;
  }

  const char* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  size_t size_ = 0;
  char data_[8192] = {};
};

}  // namespace mallocspy::spies
