// The growing, position-independent memory under a ledger: either a sparse file shared with whoever reports on this
// process (it outlives the process, whatever kills it) or private memory.
//
// A shared file is open only while it is created. It grows by duplicating the mapping of its last page further along
// (mremap with an old size of 0), so growth needs no descriptor, path or privilege: closefrom(), chroot(), setuid()
// and most sandboxes do not disturb it. Pages are populated before use; a full file system makes growth fail instead of
// raising SIGBUS.
//
// Not synchronized: callers hold the ledger's lock or are alone.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mallocspy::ledger {

class LedgerMemory {
 public:
  // Creates `<directory>/<pid>.<n>.mspy` for the first free n and maps `bytes` of it. False if that is impossible or if the
  // file system has no room for `spare_bytes` more (whole pages); nothing is left behind then.
  bool CreateShared(const char* directory, uint32_t pid, size_t bytes, size_t spare_bytes = 0);
  bool CreatePrivate(size_t bytes);

  // `bytes` more (rounded up to pages), zeroed; their file offset in `offset`. nullptr when memory or disk is full.
  void* Extend(size_t bytes, uint64_t* offset);

  void* base() const { return base_; }
  uint64_t used_bytes() const { return used_bytes_; }
  bool shared() const { return shared_; }

 private:
  void* base_ = nullptr;
  unsigned char* last_page_ = nullptr;  // of the shared file, where the next growth starts
  uint64_t used_bytes_ = 0;
  bool shared_ = false;
};

}  // namespace mallocspy::ledger
