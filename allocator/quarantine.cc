#include "allocator/quarantine.h"

#include <cstring>

#include "allocator/system/os_memory.h"

namespace mallocspy {

constinit Quarantine g_quarantine;

namespace {

constexpr uint64_t kLeastBytes = 32;   // of a block with its header, as the wrapped malloc gives it
constexpr uint64_t kLargestPart = 4;   // no block may take more than this part of the whole

// What keeping it costs.
uint64_t BytesOf(const Quarantine::Kept& kept) {
  const auto front = static_cast<uint64_t>(static_cast<char*>(kept.block) - static_cast<char*>(kept.raw));
  const uint64_t bytes = front + TailBytes(kept.header.size, kept.header.guarded);
  return (bytes < kLeastBytes ? kLeastBytes : bytes) + sizeof(Quarantine::Kept);
}

}  // namespace

bool Quarantine::Start(uint64_t bytes) {
  if (bytes == 0) return false;
  capacity_ = bytes / (kLeastBytes + sizeof(Kept)) + 1;
  limit_ = bytes;
  kept_ = static_cast<Kept*>(MapPrivate(capacity_ * sizeof(Kept)));
  return kept_ != nullptr;
}

bool Quarantine::Keep(const Kept& kept) {
  const uint64_t bytes = BytesOf(kept);
  if (bytes > limit_ / kLargestPart) return false;
  FutexLockHolder hold(lock_);
  if (next_ - oldest_ == capacity_) return false;
  kept_[next_ % capacity_] = kept;
  ++next_;
  bytes_ += bytes;
  return true;
}

Quarantine::Kept Quarantine::TakeSurplus() {
  FutexLockHolder hold(lock_);
  if (bytes_ <= limit_ || oldest_ == next_) return {};
  const Kept kept = At(oldest_++);
  bytes_ -= BytesOf(kept);
  return kept;
}

Quarantine::Kept Quarantine::Find(uintptr_t address) {
  FutexLockHolder hold(lock_);
  for (uint64_t number = next_; number != oldest_; --number) {  // the youngest first
    const Kept& kept = At(number - 1);
    const uintptr_t start = reinterpret_cast<uintptr_t>(kept.block);
    if (address == start || (address > start && address - start < kept.header.size)) return kept;
  }
  return {};
}

void Quarantine::ForEach(void (*visit)(const Kept& kept, void* context), void* context) {
  FutexLockHolder hold(lock_);
  for (uint64_t number = oldest_; number != next_; ++number) visit(At(number), context);
}

bool IsWritten(const Quarantine::Kept& kept, int64_t* offset) {
  const unsigned char* header = reinterpret_cast<const unsigned char*>(HeaderOf(kept.block));
  unsigned char expected[sizeof(BlockHeader)];
  std::memcpy(expected, &kept.header, sizeof(expected));
  for (size_t i = 0; i < sizeof(expected); ++i) {
    if (header[i] == expected[i]) continue;
    *offset = static_cast<int64_t>(i) - static_cast<int64_t>(sizeof(expected));
    return true;
  }
  const unsigned char* bytes = static_cast<const unsigned char*>(kept.block);
  constexpr uint64_t kFreedWord = uint64_t{0x0101010101010101} * kFreedByte;
  size_t at = 0;
  for (uint64_t word; at + sizeof(word) <= kept.header.size; at += sizeof(word)) {
    std::memcpy(&word, bytes + at, sizeof(word));
    if (word != kFreedWord) break;
  }
  while (at < kept.header.size && bytes[at] == kFreedByte) ++at;
  *offset = static_cast<int64_t>(at);
  if (at < kept.header.size) return true;
  if (!kept.header.guarded || IsGuardWhole(kept.block, kept.header.size)) return false;
  *offset = static_cast<int64_t>(CheckGuard(kept.block, kept.header.size));
  return true;
}

}  // namespace mallocspy
