// Records of the ledger with nothing in them but their counters.
#pragma once

#include "allocator/ledger/ledger.h"

namespace mallocspy::ledger {

inline Thread* NewThread() {
  FutexLockHolder hold(g_ledger.lock());
  const uint32_t index = g_ledger.Reserve(TableId::kThreads);
  g_ledger.Publish(TableId::kThreads, index + 1);
  return g_ledger.At<Thread>(TableId::kThreads, index);
}

inline uint32_t NewStack() {
  FutexLockHolder hold(g_ledger.lock());
  const uint32_t index = g_ledger.Reserve(TableId::kStacks);
  g_ledger.Publish(TableId::kStacks, index + 1);
  return index;
}

}  // namespace mallocspy::ledger
