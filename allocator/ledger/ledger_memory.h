// The growing, position-independent memory under a ledger: a sparse file that others see, too, or private memory. The file has a name in a
// directory and outlives the process, whatever kills it; or it has none (memfd_create(2)), and is found by its descriptor, in
// /proc/PID/fd, as long as the process lives.
//
// A named file is open only while it is created. A file grows by duplicating the mapping of its last page further along
// (mremap with an old size of 0), so growth needs no descriptor, path or privilege: closefrom(), chroot(), setuid()
// and most sandboxes do not disturb it. Pages of a named file are populated before use; a full file system makes growth fail instead of
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
  bool CreateNamed(const char* directory, uint32_t pid, size_t bytes, size_t spare_bytes = 0);
  // One without a name; not where files are limited in size. Its descriptor is closed over exec, and high enough to be in nobody's way; a program may close it all the same.
  bool CreateAnonymous(size_t bytes, size_t spare_bytes = 0);
  bool CreatePrivate(size_t bytes);

  // `bytes` more (rounded up to pages), zeroed; their file offset in `offset`. nullptr when memory or disk is full.
  void* Extend(size_t bytes, uint64_t* offset);

  void* base() const { return base_; }
  uint64_t used_bytes() const { return used_bytes_; }
  // Whether others see it; whether by a name.
  bool shared() const { return shared_; }
  bool named() const { return shared_ && !anonymous_; }

  // In a forked child that has memory of its own now: closes the descriptor of its parent's, if it still is that.
  void CloseDescriptor();

 private:
  bool MapFile(long fd, size_t bytes, size_t spare_bytes);


  void* base_ = nullptr;
  unsigned char* last_page_ = nullptr;  // of the shared file, where the next growth starts
  uint64_t used_bytes_ = 0;
  uint64_t inode_ = 0;  // of a file without a name
  int descriptor_ = -1;
  bool shared_ = false;
  bool anonymous_ = false;
};

}  // namespace mallocspy::ledger
