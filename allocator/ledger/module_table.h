// The loaded objects, past and present, and from them the site of a return address: module and offset, which stay true
// after the module is gone and while another one lies at its address.
//
// Modules are read from the loader when an address is met that none of the known ones covers, and after every dlclose.
// The known code ranges form a sorted array that readers search without a lock; a changed array replaces the old one, which
// stays mapped for readers that still hold it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocator/ledger/ledger.h"
#include "allocator/ledger/loaded_module.h"

namespace mallocspy::ledger {

class ModuleTable {
 public:
  // The site of a return address (format.h, Node::site). May ask the loader: hold no lock of ours, and expect the loader's own
  // list lock to be taken.
  uint64_t SiteOf(uintptr_t return_address);

  // The same without asking the loader; an address of a module not yet recorded counts as one of no module. Waits for nothing.
  uint64_t SiteOfKnown(uintptr_t return_address) const;

  // Compares with the loader's list and records what came and went. The same conditions.
  void Refresh();

 private:
  struct Range {
    uintptr_t start;
    uintptr_t end;
    uintptr_t bias;
    uint32_t module;
  };
  struct Ranges {
    uint32_t count;
    Range list[];
  };
  struct Scan;

  static int Collect(dl_phdr_info* info, size_t size, void* scan);
  const Range* Find(uintptr_t address) const;
  void Merge(const Scan& scan);
  uint32_t AddModule(const LoadedModule& loaded);

  std::atomic<Ranges*> ranges_{nullptr};
  std::atomic<uint64_t> merged_version_{0};  // loads plus unloads at the newest merged scan
  uint32_t epoch_ = 0;           // under the ledger's lock: counts merges that changed something
};

extern ModuleTable g_modules;

}  // namespace mallocspy::ledger
