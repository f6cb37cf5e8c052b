// A failure that is tried in a forked child, while the parent waits.
#pragma once

#include <stdint.h>

namespace mallocspy::spies::faults {

enum class Side {
  kChild,   // this is the child: the allocation fails here
  kParent,  // the child has ended, and a line about it stands in the file: "KEY PID WAIT_STATUS TIMED_OUT"
  kAlone,   // there was no child: the process has several threads, of which a child would have one (the line says PID 0), or it cannot fork
};

// In a spy's method. The child has `seconds`; then it gets SIGABRT and, if that does not end it, SIGKILL. The parent's files are read on from
// where they were, and it hears nothing of SIGCHLD.
Side TryForked(const char* file, uint64_t key, uint64_t seconds);

}  // namespace mallocspy::spies::faults
