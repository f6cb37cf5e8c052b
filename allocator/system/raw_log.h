// Text for people from inside the target: a line built in a fixed buffer and written with one write(2).
// Any thread, any signal handler, no heap.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mallocspy {

// RawLine(2).Text("mallocspy: cannot load ").Text(name).End(); What does not fit is cut, marked by "...".
class RawLine {
 public:
  explicit RawLine(int fd) : fd_(fd) {}
  RawLine& Text(const char* text);
  RawLine& Text(const char* text, size_t size);  // control characters become '?'
  RawLine& Number(uint64_t value);
  RawLine& Hex(uint64_t value);
  // Adds the newline and writes.
  void End();

 private:
  static constexpr size_t kCapacity = 1024;
  int fd_;
  size_t size_ = 0;
  bool cut_ = false;
  char buffer_[kCapacity + 8];
};

// Says on standard error which of our own invariants failed, and where, and aborts. For bugs of ours only.
[[noreturn]] void FailCheck(const char* file, int line, const char* what);
#define MALLOCSPY_CHECK(condition) ((condition) ? (void)0 : ::mallocspy::FailCheck(__FILE__, __LINE__, #condition))

}  // namespace mallocspy
