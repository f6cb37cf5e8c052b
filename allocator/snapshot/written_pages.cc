#include "allocator/snapshot/written_pages.h"

#include <fcntl.h>
#include <linux/ioctl.h>

#include <algorithm>

#include "allocator/system/os_memory.h"
#include "allocator/system/raw_syscall.h"

namespace mallocspy {
namespace {

// The kernel's own layout (Linux 6.7, include/uapi/linux/fs.h; admin-guide/mm/pagemap.rst).
struct PageRegion {
  uint64_t start;
  uint64_t end;
  uint64_t categories;
};
struct ScanArguments {
  uint64_t size;
  uint64_t flags;
  uint64_t start;
  uint64_t end;
  uint64_t walk_end;
  uint64_t regions;
  uint64_t most_regions;
  uint64_t most_pages;
  uint64_t inverted_categories;
  uint64_t all_of_categories;
  uint64_t any_of_categories;
  uint64_t returned_categories;
};
constexpr unsigned kPagemapScan = _IOWR('f', 16, ScanArguments);
constexpr uint64_t kPresent = 1 << 3;
constexpr uint64_t kSwapped = 1 << 4;
constexpr uint64_t kZeroPage = 1 << 5;

// A stretch that is visited as a whole although it is told of in pieces.
class Stretches {
 public:
  Stretches(uintptr_t from, uintptr_t to, void (*visit)(uintptr_t start, uintptr_t end, void* context), void* context)
      : from_(from), to_(to), visit_(visit), context_(context) {}
  ~Stretches() { Visit(); }
  Stretches(const Stretches&) = delete;
  Stretches& operator=(const Stretches&) = delete;

  void Add(uintptr_t start, uintptr_t end) {
    if (start != end_) {
      Visit();
      start_ = start;
    }
    end_ = end;
  }

 private:
  void Visit() {
    const uintptr_t start = std::max(start_, from_);
    const uintptr_t end = std::min(end_, to_);
    if (start < end) visit_(start, end, context_);
  }

  const uintptr_t from_;
  const uintptr_t to_;
  void (*visit_)(uintptr_t start, uintptr_t end, void* context);
  void* context_;
  uintptr_t start_ = 0;
  uintptr_t end_ = 0;
};

// Both: from a page on. Where they came to, if the kernel can no more.

// Skips what is not there by whole page tables.
uintptr_t AddByScan(long pagemap, uintptr_t page, uintptr_t to, Stretches* stretches) {
  PageRegion regions[128];
  while (page < to) {
    ScanArguments arguments = {};
    arguments.size = sizeof(arguments);
    arguments.start = page;
    arguments.end = RoundUp(to, kPageBytes);
    arguments.regions = reinterpret_cast<uintptr_t>(regions);
    arguments.most_regions = sizeof(regions) / sizeof(regions[0]);
    arguments.inverted_categories = kZeroPage;
    arguments.all_of_categories = kZeroPage;
    arguments.any_of_categories = kPresent | kSwapped;
    const long found = RawSyscall(SYS_ioctl, pagemap, kPagemapScan, &arguments);
    if (RawFailed(found) || arguments.walk_end <= page) return page;
    for (long i = 0; i < found; ++i) stretches->Add(regions[i].start, regions[i].end);
    page = arguments.walk_end;
  }
  return page;
}

// Page by page, for kernels that cannot scan.
uintptr_t AddByEntries(long pagemap, uintptr_t page, uintptr_t to, Stretches* stretches) {
  constexpr uint64_t kPresentOrSwapped = uint64_t{3} << 62;  // proc_pid_pagemap(5)
  uint64_t entries[512];
  while (page < to) {
    const long got = RawSyscall(SYS_pread64, pagemap, entries, sizeof(entries), page / kPageBytes * sizeof(uint64_t));
    if (got < static_cast<long>(sizeof(uint64_t))) return page;
    for (size_t i = 0; i < static_cast<size_t>(got) / sizeof(uint64_t) && page < to; ++i, page += kPageBytes) {
      if ((entries[i] & kPresentOrSwapped) != 0) stretches->Add(page, page + kPageBytes);
    }
  }
  return page;
}

}  // namespace

WrittenPages::~WrittenPages() {
  if (is_open()) RawSyscall(SYS_close, pagemap_);
}

bool WrittenPages::Open() {
  if (!is_open()) pagemap_ = RawSyscall(SYS_openat, AT_FDCWD, "/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  return is_open();
}

void WrittenPages::ForEach(uintptr_t from, uintptr_t to, void (*visit)(uintptr_t start, uintptr_t end, void* context),
                           void* context) const {
  Stretches stretches(from, to, visit, context);
  uintptr_t page = from & ~(kPageBytes - 1);
  page = AddByScan(pagemap_, page, to, &stretches);
  page = AddByEntries(pagemap_, page, to, &stretches);
  if (page < to) stretches.Add(page, to);
}

}  // namespace mallocspy
