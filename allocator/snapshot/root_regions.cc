#include "allocator/snapshot/root_regions.h"

#include <cstring>

#include "allocator/ledger/ledger.h"
#include "allocator/system/os_memory.h"
#include "allocator/thread_state.h"

namespace mallocspy {
namespace {

struct Region {
  uintptr_t start;
  size_t bytes;
};

constinit Region* regions = nullptr;
constinit size_t count = 0;
constinit size_t capacity = 0;

bool Grow() {
  const size_t grown_capacity = capacity == 0 ? kPageBytes / sizeof(Region) : capacity * 2;
  Region* grown = static_cast<Region*>(MapPrivate(grown_capacity * sizeof(Region)));
  if (grown == nullptr) return false;
  if (regions != nullptr) {
    std::memcpy(grown, regions, count * sizeof(Region));
    Unmap(regions, capacity * sizeof(Region));
  }
  regions = grown;
  capacity = grown_capacity;
  return true;
}

}  // namespace

// In an event, so that a reader of the record finds the list whole.
bool AddRootRegion(uintptr_t start, size_t bytes) {
  const Event event;
  FutexLockHolder hold(ledger::g_ledger.lock());
  if (count == capacity && !Grow()) return false;
  regions[count++] = {start, bytes};
  return true;
}

bool RemoveRootRegion(uintptr_t start, size_t bytes) {
  const Event event;
  FutexLockHolder hold(ledger::g_ledger.lock());
  for (size_t i = count; i > 0; --i) {
    if (regions[i - 1].start != start || regions[i - 1].bytes != bytes) continue;
    regions[i - 1] = regions[--count];
    return true;
  }
  return false;
}

void ForEachRootRegion(void (*visit)(uintptr_t start, uintptr_t end, void* context), void* context) {
  for (size_t i = 0; i < count; ++i) visit(regions[i].start, regions[i].start + regions[i].bytes, context);
}

}  // namespace mallocspy
