// How much may be live at once (options max_bytes and max_blocks): what would go beyond fails as if memory had run out.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace mallocspy {

// Any thread, signal handlers too; no locks.
class Ceiling {
 public:
  constexpr Ceiling() = default;
  Ceiling(const Ceiling&) = delete;
  Ceiling& operator=(const Ceiling&) = delete;

  // 0: no limit. Before the first block. Whether there is any.
  bool Set(uint64_t max_bytes, uint64_t max_blocks);

  // Counts a block of so many requested bytes, or does nothing and returns false.
  bool Admit(size_t bytes);
  // Counts a live block of `before` bytes as one of `bytes` from now on, or does nothing and returns false. One that does not grow may always be resized.
  bool Resize(size_t before, size_t bytes);
  void Leave(size_t bytes);

 private:
  bool AddBytes(uint64_t bytes);

  uint64_t max_bytes_ = UINT64_MAX;
  uint64_t max_blocks_ = UINT64_MAX;
  std::atomic<uint64_t> bytes_{0};
  std::atomic<uint64_t> blocks_{0};
};

extern constinit Ceiling g_ceiling;

}  // namespace mallocspy
