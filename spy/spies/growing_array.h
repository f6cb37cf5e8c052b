// A table of plain records that only grows, in memory of its own. For one thread at a time.
#pragma once

#include <stddef.h>
#include <string.h>

#include <type_traits>

#include "spy/spies/system.h"

namespace mallocspy::spies {

template <typename Record>
class GrowingArray {
  static_assert(std::is_trivially_copyable_v<Record>);

 public:
  constexpr GrowingArray() = default;
  ~GrowingArray() {
    if (records_ != nullptr) system::Unmap(records_, capacity_ * sizeof(Record));
  }
  GrowingArray(const GrowingArray&) = delete;
  GrowingArray& operator=(const GrowingArray&) = delete;

  size_t size() const { return size_; }
  Record& operator[](size_t index) { return records_[index]; }
  const Record& operator[](size_t index) const { return records_[index]; }
  Record* begin() const { return records_; }
  Record* end() const { return records_ + size_; }

  // Makes it at least `size` records long; the new ones are zeros. False without memory: then it is as it was.
  bool Reach(size_t size) {
    if (size > capacity_) {
      size_t capacity = capacity_ == 0 ? kFirstCapacity : capacity_;
      while (capacity < size) capacity *= 2;
      Record* larger = static_cast<Record*>(system::Map(capacity * sizeof(Record)));
      if (larger == nullptr) return false;
      if (records_ != nullptr) {
        memcpy(static_cast<void*>(larger), records_, size_ * sizeof(Record));
        system::Unmap(records_, capacity_ * sizeof(Record));
      }
      records_ = larger;
      capacity_ = capacity;
    }
    if (size > size_) size_ = size;
    return true;
  }
  bool Append(const Record& record) {
    if (!Reach(size_ + 1)) return false;
    records_[size_ - 1] = record;
    return true;
  }

 private:
  static constexpr size_t kFirstCapacity = 4096 / sizeof(Record) + 1;

  Record* records_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace mallocspy::spies
