// What each thread knows about its own stay in the spies. Plain data in initial-exec TLS: readable in a signal handler
// and after the thread's destructors ran.
#pragma once

#include <cstdint>

#include "spy/door_frame.h"

namespace mallocspy {

struct SpyThread {
  // Above 0: this thread is between the entry of a chain call and its end, or in a spy's QueryInterface or Release.
  // Whatever it calls meanwhile bypasses the spies.
  uint32_t depth;
  bool holds_lock;
  // The program's latest call of a door; while depth is above 0, the one that led into the spies. Valid until that door returns.
  const DoorFrame* frame;
};

extern constinit thread_local SpyThread spy_thread __attribute__((tls_model("initial-exec"), visibility("hidden")));

// Marks the thread as in a spy.
class InSpyScope {
 public:
  InSpyScope() { ++spy_thread.depth; }
  ~InSpyScope() { --spy_thread.depth; }
  InSpyScope(const InSpyScope&) = delete;
  InSpyScope& operator=(const InSpyScope&) = delete;
};

}  // namespace mallocspy
