#include "allocator/system/raw_log.h"

#include <time.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "allocator/system/decimal.h"
#include "allocator/system/raw_syscall.h"

namespace mallocspy {

namespace {

// A reader of our lines that went away must not kill the program: SIGPIPE is blocked for a while, and one that we caused is
// taken back.
class BrokenPipeGuard {
 public:
  BrokenPipeGuard() {
    RawSyscall(SYS_rt_sigprocmask, SIG_BLOCK, &kSigpipe, &mask_, sizeof(mask_));
    uint64_t pending = 0;
    RawSyscall(SYS_rt_sigpending, &pending, sizeof(pending));
    was_pending_ = (pending & kSigpipe) != 0;
  }
  ~BrokenPipeGuard() {
    const timespec at_once = {};
    if (!was_pending_) RawSyscall(SYS_rt_sigtimedwait, &kSigpipe, nullptr, &at_once, sizeof(kSigpipe));
    RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask_, nullptr, sizeof(mask_));
  }
  BrokenPipeGuard(const BrokenPipeGuard&) = delete;
  BrokenPipeGuard& operator=(const BrokenPipeGuard&) = delete;

 private:
  static constexpr uint64_t kSigpipe = uint64_t{1} << (SIGPIPE - 1);
  uint64_t mask_ = 0;
  bool was_pending_ = false;
};

}  // namespace

RawLine& RawLine::Text(const char* text) { return Text(text, std::strlen(text)); }

RawLine& RawLine::Text(const char* text, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    if (size_ == kCapacity) {
      cut_ = true;
      break;
    }
    const unsigned char c = static_cast<unsigned char>(text[i]);
    buffer_[size_++] = c < 0x20 || c == 0x7f ? '?' : static_cast<char>(c);
  }
  return *this;
}

RawLine& RawLine::Number(uint64_t value) {
  char digits[kMostDecimalDigits];
  return Text(digits, static_cast<size_t>(AppendDecimal(digits, value) - digits));
}

RawLine& RawLine::Hex(uint64_t value) {
  char digits[18];
  size_t at = sizeof(digits);
  do {
    digits[--at] = "0123456789abcdef"[value & 15];
    value >>= 4;
  } while (value != 0);
  digits[--at] = 'x';
  digits[--at] = '0';
  return Text(digits + at, sizeof(digits) - at);
}

void RawLine::End() {
  if (cut_) {
    std::memcpy(buffer_ + size_, "...", 3);
    size_ += 3;
  }
  buffer_[size_++] = '\n';
  const BrokenPipeGuard guard;
  for (size_t done = 0; done < size_;) {
    const long result = RawSyscall(SYS_write, fd_, buffer_ + done, size_ - done);
    if (result == -EINTR) continue;
    if (result <= 0) break;
    done += static_cast<size_t>(result);
  }
  size_ = 0;
  cut_ = false;
}

void FailCheck(const char* file, int line, const char* what) {
  RawLine(2).Text("mallocspy: internal error at ").Text(file).Text(":").Number(static_cast<uint64_t>(line))
      .Text(": ").Text(what).Text(" does not hold; please report it").End();
  RawSyscall(SYS_tgkill, RawSyscall(SYS_getpid), RawSyscall(SYS_gettid), SIGABRT);
  __builtin_trap();
}

}  // namespace mallocspy
