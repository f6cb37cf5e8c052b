// How large a file this process may make. Writing or extending one beyond it raises SIGXFSZ, which ends most programs; what we
// write must stay below.
#pragma once

#include <sys/resource.h>

#include <cstdint>

#include "allocator/system/raw_syscall.h"

namespace mallocspy {

// RLIMIT_FSIZE in bytes; UINT64_MAX for none.
inline uint64_t FileSizeLimit() {
  rlimit limit;
  if (RawFailed(RawSyscall(SYS_prlimit64, 0, RLIMIT_FSIZE, nullptr, &limit))) return UINT64_MAX;
  return limit.rlim_cur;
}

}  // namespace mallocspy
