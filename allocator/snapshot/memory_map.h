// The process's mappings, as /proc/self/maps tells them. In memory of the recorder's own.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mallocspy {

struct Mapping {
  enum Kind : uint8_t { kAnonymous, kFile, kHeap, kStack, kSpecial };  // kHeap: brk; kSpecial: vdso and the like, devices
  uintptr_t start;
  uintptr_t end;
  Kind kind;
  bool readable;
  bool writable;
  bool executable;
  bool shared;
};

class MemoryMap {
 public:
  constexpr MemoryMap() = default;
  ~MemoryMap();
  MemoryMap(const MemoryMap&) = delete;
  MemoryMap& operator=(const MemoryMap&) = delete;

  // Ascending, disjoint. False if /proc or memory is missing; then there are none. No lock, no heap.
  bool Read();

  size_t size() const { return size_; }
  const Mapping& operator[](size_t index) const { return list_[index]; }
  const Mapping* begin() const { return list_; }
  const Mapping* end() const { return list_ + size_; }
  // The mapping that holds `address`, or null.
  const Mapping* Find(uintptr_t address) const;

 private:
  bool Add(const Mapping& mapping);

  // Neither grows nor goes while the map is read or used: the map would be wrong.
  static constexpr size_t kCapacity = 1 << 20;
  static constexpr size_t kBufferBytes = 64 * 1024;
  Mapping* list_ = nullptr;
  char* buffer_ = nullptr;
  size_t size_ = 0;
};

}  // namespace mallocspy
