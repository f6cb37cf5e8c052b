// A heap for tests of the chain: blocks in an arena that is never reused, so that every pointer of a test means one
// thing, and a record of what was asked.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "spy/heap.h"

namespace mallocspy {

class FakeHeap final : public Heap {
 public:
  static constexpr size_t kArenaBytes = 1 << 20;
  static constexpr size_t kSpacing = 64;  // at least so much lies between two blocks

  struct Block {
    size_t bytes;
    Door door;
    SpiedBy spied_by;
  };
  struct Freed {
    void* block;
    Door door;
    bool operator==(const Freed&) const = default;
  };

  FakeHeap() : arena_(kArenaBytes, std::byte{0xcd}) {}

  void* Allocate(size_t bytes, const Request& request) override {
    requested.push_back(bytes);
    if (exhausted || bytes > kArenaBytes) {
      errno = ENOMEM;
      return nullptr;
    }
    char* base = reinterpret_cast<char*>(arena_.data());
    const size_t alignment = request.alignment;
    size_t start = reinterpret_cast<size_t>(base) + used_ + kSpacing;
    start = (start + alignment - 1) / alignment * alignment;
    used_ = start - reinterpret_cast<size_t>(base) + bytes;
    if (used_ + kSpacing > kArenaBytes) {
      errno = ENOMEM;
      return nullptr;
    }
    void* block = reinterpret_cast<void*>(start);
    if (request.zeroed) memset(block, 0, bytes);
    if (unrecorded) return block;
    blocks[block] = {bytes, request.door, 0};
    return block;
  }

  // Moves the block, unless it is told to stay.
  void* Reallocate(void* block, size_t bytes, const Request& request) override {
    const auto old = blocks.find(block);
    if (old == blocks.end()) {
      invalid.push_back(block);
      return nullptr;
    }
    if (stay_in_place) {
      requested.push_back(bytes);
      old->second.bytes = bytes;
      return block;
    }
    void* moved = Allocate(bytes, request);
    if (moved == nullptr) return nullptr;
    memcpy(moved, block, old->second.bytes < bytes ? old->second.bytes : bytes);
    blocks[moved].spied_by = old->second.spied_by;
    blocks.erase(block);
    return moved;
  }

  void Deallocate(void* block, const Request& request) override {
    if (blocks.erase(block) == 0) {
      invalid.push_back(block);
      return;
    }
    freed.push_back({block, request.door});
  }

  size_t SizeOf(const void* block) override {
    const auto found = blocks.find(block);
    return found == blocks.end() ? static_cast<size_t>(-1) : found->second.bytes;
  }
  bool IsLive(const void* block) override { return blocks.contains(block); }
  void Minimize() override { ++minimized; }
  SpiedBy SpiedSet(const void* block) override {
    const auto found = blocks.find(block);
    return found == blocks.end() ? SpiedBy{0} : found->second.spied_by;
  }
  void SetSpiedSet(void* block, SpiedBy spies) override { blocks.at(block).spied_by = spies; }
  void ReportContractBreach(const char* what, const void*, size_t, Door) override { breaches.push_back(what); }

  std::map<const void*, Block> blocks;  // the live ones
  std::vector<size_t> requested;        // bytes of each Allocate and Reallocate
  std::vector<Freed> freed;
  std::vector<void*> invalid;  // freed or resized without being live
  std::vector<std::string> breaches;
  int minimized = 0;
  bool exhausted = false;
  bool stay_in_place = false;
  bool unrecorded = false;  // new blocks are not known afterwards, as those of a recorder that is off

 private:
  std::vector<std::byte> arena_;
  size_t used_ = 0;
};

}  // namespace mallocspy
