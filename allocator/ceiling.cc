#include "allocator/ceiling.h"

namespace mallocspy {

constinit Ceiling g_ceiling;

bool Ceiling::Set(uint64_t max_bytes, uint64_t max_blocks) {
  max_bytes_ = max_bytes != 0 ? max_bytes : UINT64_MAX;
  max_blocks_ = max_blocks != 0 ? max_blocks : UINT64_MAX;
  return max_bytes != 0 || max_blocks != 0;
}

bool Ceiling::AddBytes(uint64_t bytes) {
  uint64_t now = bytes_.load(std::memory_order_relaxed);
  do {
    if (now > max_bytes_ || bytes > max_bytes_ - now) return false;
  } while (!bytes_.compare_exchange_weak(now, now + bytes, std::memory_order_relaxed));
  return true;
}

bool Ceiling::Admit(size_t bytes) {
  uint64_t blocks = blocks_.load(std::memory_order_relaxed);
  do {
    if (blocks >= max_blocks_) return false;
  } while (!blocks_.compare_exchange_weak(blocks, blocks + 1, std::memory_order_relaxed));
  if (AddBytes(bytes)) return true;
  blocks_.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

bool Ceiling::Resize(size_t before, size_t bytes) {
  if (bytes > before) return AddBytes(bytes - before);
  bytes_.fetch_sub(before - bytes, std::memory_order_relaxed);
  return true;
}

void Ceiling::Leave(size_t bytes) {
  bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  blocks_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace mallocspy
