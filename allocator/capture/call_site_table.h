// What is known of the program's return addresses: the frame rule and the site of each. Learned once, shared by all threads.
//
// Looking one up takes no lock: an open-addressing table that only grows; a grown one replaces the old one, which stays mapped
// for readers that still hold it. When code is unloaded, its entries are forgotten (BeginUnload .. EndUnload), and between the
// two nothing that was learned may be used: another library may come to lie where the old one was.
#pragma once

#include <atomic>
#include <cstdint>

#include "allocator/capture/frame_rule.h"
#include "spy/futex_lock.h"

namespace mallocspy {

struct CallSite {
  FrameRule rule;
  uint64_t site;  // ledger::Node::site
};

class CallSiteTable {
 public:
  // False if the address is not known. Any thread.
  bool Find(uintptr_t return_address, CallSite* call_site) const;
  // Without memory for it nothing is kept. Any thread, no lock held.
  void Add(uintptr_t return_address, const CallSite& call_site);

  // Around what may unload code. EndUnload() forgets the sites of modules that the ledger says are gone.
  void BeginUnload();
  void EndUnload();

  // Code is about to be loaded: addresses that belonged to nothing may soon belong to a module.
  void BeforeLoad();

  // Changes when something learned may have become wrong. What was learned at one epoch holds while the epoch is the same
  // and IsStable().
  uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }
  static bool IsStable(uint64_t epoch) { return (epoch & kUnloadsMask) == 0; }

  // In a forked child, alone. What another thread was just unloading may be gone or not: then nothing is known any more.
  void AdoptAfterFork();

 private:
  struct Entry {
    std::atomic<uintptr_t> return_address;  // 0 for a free one
    std::atomic<uint64_t> rule;
    std::atomic<uint64_t> site;
    uint64_t unused;  // an entry lies in one cache line
  };
  struct Entries {
    uint64_t mask;
    alignas(32) Entry list[];
  };

  static Entry* Place(Entries* entries, uintptr_t return_address);
  bool Grow();

  static constexpr uint64_t kUnloadsMask = 0xffff;  // unloads under way; above it, finished ones

  std::atomic<Entries*> entries_{nullptr};
  std::atomic<uint64_t> epoch_{uint64_t{1} << 16};
  FutexLock lock_;
  uint64_t count_ = 0;  // under lock_
};

extern CallSiteTable g_call_sites;

}  // namespace mallocspy
