// Objects with reference counts (reference_counts.h) and the calls that changed them. Empty, and without cost, until a class tells of one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/thread_state.h"
#include "spy/futex_lock.h"

namespace mallocspy {

// Under its own lock, which is taken inside of events and before the ledger's.
class ReferenceTable {
 public:
  constexpr ReferenceTable() = default;
  ReferenceTable(const ReferenceTable&) = delete;
  ReferenceTable& operator=(const ReferenceTable&) = delete;

  // One reference more or less, by the call that ends at `node`; `count` is what the object says that there are then.
  void Add(uintptr_t object, const char* class_name, uint32_t count, uint32_t node);
  // False if there was none to release.
  bool Release(uintptr_t object, const char* class_name, uint32_t count, uint32_t node);

  // Whether there is any object.
  bool in_use() const { return objects_ != nullptr; }
  // A block is freed, and what lies in it ends: a reference that is left is an error.
  void BlockEnds(const void* block, size_t bytes, uint32_t node, uint32_t tid);

  // At the end of the record: records what is left as errors.
  void ReportAll();

  FutexLock& lock() { return lock_; }

 private:
  struct Object {
    uintptr_t address;  // 0: unused
    const char* class_name;
    uint32_t next;        // in its bucket, or of the unused ones
    uint32_t first_call;  // 0: none
    uint32_t count;
    uint32_t base_mark;  // of the process that told of it: a forked child does not answer for its parent's
  };
  struct Call {
    uint32_t node;
    uint32_t next;
    uint32_t added;
    uint32_t released;
  };
  static constexpr uint32_t kBuckets = 1 << 16;
  static constexpr uint32_t kMostObjects = 1 << 20;
  static constexpr uint32_t kMostCalls = 1 << 22;

  bool Start();
  uint32_t* BucketOf(uintptr_t address) { return &buckets_[(address * 0x9e3779b97f4a7c15) >> 48]; }
  Object* Find(uintptr_t address);
  Object* Make(uintptr_t address, const char* class_name, uint32_t count);
  void Note(Object* object, uint32_t node, bool added);
  void End(Object* object);
  // `block`: that it lies in, null if in none.
  void Report(const Object& object, const void* block, uint32_t freed, uint32_t tid);

  FutexLock lock_;
  uint32_t* buckets_ = nullptr;  // the first object of each; 0: none
  Object* objects_ = nullptr;    // [0] is not used
  Call* calls_ = nullptr;        // likewise
  uint32_t object_count_ = 1;
  uint32_t call_count_ = 1;
  uint32_t unused_object_ = 0;
  uint32_t unused_call_ = 0;
};

extern ReferenceTable g_references;

}  // namespace mallocspy
