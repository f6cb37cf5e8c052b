// Which pages of private memory were ever written, as the kernel tells it: of a mapping of terabytes only these need be looked at.
#pragma once

#include <cstdint>

namespace mallocspy {

class WrittenPages {
 public:
  constexpr WrittenPages() = default;
  ~WrittenPages();
  WrittenPages(const WrittenPages&) = delete;
  WrittenPages& operator=(const WrittenPages&) = delete;

  // Of this process, as it is now; a copy of it opens its own. False where the kernel does not tell.
  bool Open();
  bool is_open() const { return pagemap_ >= 0; }

  // Calls visit(start, end, context), ascending, for the parts of [from, to) that lie in written pages. Where the kernel stops telling, all
  // that is left is one part. Of shared memory it tells nothing that can be relied upon. While open.
  void ForEach(uintptr_t from, uintptr_t to, void (*visit)(uintptr_t start, uintptr_t end, void* context), void* context) const;

 private:
  long pagemap_ = -1;
};

}  // namespace mallocspy
