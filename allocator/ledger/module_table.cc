#include "allocator/ledger/module_table.h"

#include <fcntl.h>
#include <link.h>

#include <cstring>

#include "allocator/ledger/loaded_module.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/raw_syscall.h"

namespace mallocspy::ledger {

constinit ModuleTable g_modules;

extern "C" __attribute__((visibility("hidden"))) const char __ehdr_start[];

namespace {

constexpr uint32_t kMaxModules = (1u << (64 - kSiteModuleShift)) - 1;

Module* ModuleAt(uint32_t index) { return g_ledger.At<Module>(TableId::kModules, index); }

// The program's path changes when its file is deleted, and there is only one.
bool SamePath(const Module& known, const LoadedModule& loaded) {
  return loaded.is_executable || known.path.length == 0 ||
         (known.path.length == loaded.path_bytes &&
          std::memcmp(g_ledger.At<char>(TableId::kStrings, known.path.offset), loaded.path, loaded.path_bytes) == 0);
}

bool SameModule(const Module& known, const LoadedModule& loaded) {
  return known.unloaded == 0 && known.start == loaded.start && known.end == loaded.end && known.bias == loaded.bias &&
         known.build_id_bytes == loaded.build_id_bytes &&
         std::memcmp(known.build_id, loaded.build_id, loaded.build_id_bytes) == 0 && SamePath(known, loaded);
}

// Stops at the first object: each knows how many loads and unloads there were.
int ReadVersion(dl_phdr_info* info, size_t, void* version) {
  *static_cast<uint64_t*>(version) = info->dlpi_adds + info->dlpi_subs;
  return 1;
}

}  // namespace

// What one walk over the loader's list found. Mapped, since it is large and the stack may be small.
struct ModuleTable::Scan {
  uint64_t version;  // dlpi_adds + dlpi_subs
  uint32_t seen;     // objects met
  uint32_t count;    // of them stored below
  uint32_t capacity;
  LoadedModule list[];
};

int ModuleTable::Collect(dl_phdr_info* info, size_t, void* context) {
  Scan* scan = static_cast<Scan*>(context);
  scan->version = info->dlpi_adds + info->dlpi_subs;
  const bool first = scan->seen++ == 0;
  if (scan->count == scan->capacity) return 0;
  LoadedModule& module = scan->list[scan->count];
  if (!ReadLoadedModule(*info, &module)) return 0;
  if (first && module.path_bytes == 0) {  // the loader names the main program ""
    module.is_executable = true;
    const long length = RawSyscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", module.path, sizeof(module.path));
    if (!RawFailed(length)) module.path_bytes = static_cast<uint32_t>(length);
  }
  ++scan->count;
  return 0;
}

void ModuleTable::Refresh() {
  // Code of no module (made at run time) would otherwise cost a whole walk each time that it is met.
  uint64_t version = 0;
  dl_iterate_phdr(ReadVersion, &version);
  if (version == merged_version_.load(std::memory_order_acquire)) return;
  for (uint32_t capacity = 64;; capacity *= 4) {
    const size_t bytes = sizeof(Scan) + capacity * sizeof(LoadedModule);
    Scan* scan = static_cast<Scan*>(MapPrivate(bytes));
    if (scan == nullptr) return;
    scan->capacity = capacity;
    dl_iterate_phdr(Collect, scan);
    const bool whole = scan->count < capacity;
    if (whole) Merge(*scan);
    Unmap(scan, bytes);
    if (whole) return;
  }
}

uint32_t ModuleTable::AddModule(const LoadedModule& loaded) {
  const uint32_t index = g_ledger.Reserve(TableId::kModules);
  if (index == 0) return 0;
  if (index > kMaxModules) {
    g_ledger.SetDegraded(kModulesLost);
    return 0;
  }
  Module* module = ModuleAt(index);
  module->start = loaded.start;
  module->end = loaded.end;
  module->bias = loaded.bias;
  module->path = g_ledger.AddString(loaded.path, loaded.path_bytes);
  module->loaded = epoch_;
  const uintptr_t self = reinterpret_cast<uintptr_t>(__ehdr_start);
  const bool is_self = loaded.start <= self && self < loaded.end;
  module->flags = (loaded.is_executable ? kModuleExecutable : 0u) | (is_self && !loaded.is_executable ? kModuleSelf : 0u);
  module->build_id_bytes = loaded.build_id_bytes;
  std::memcpy(module->build_id, loaded.build_id, loaded.build_id_bytes);
  g_ledger.Publish(TableId::kModules, index + 1);
  return index;
}

void ModuleTable::Merge(const Scan& scan) {
  FutexLockHolder hold(g_ledger.lock());
  if (scan.version <= merged_version_.load(std::memory_order_relaxed)) return;  // another thread was first
  ++epoch_;
  uint32_t ranges = 0;
  for (uint32_t i = 0; i < scan.count; ++i) ranges += scan.list[i].code_ranges;
  Ranges* after = static_cast<Ranges*>(MapPrivate(sizeof(Ranges) + ranges * sizeof(Range)));
  if (after == nullptr) return;
  const uint32_t known = g_ledger.Count(TableId::kModules);
  for (uint32_t index = 1; index < known; ++index) {
    Module* module = ModuleAt(index);
    if (module->unloaded != 0) continue;
    bool still_there = false;
    for (uint32_t i = 0; i < scan.count && !still_there; ++i) still_there = SameModule(*module, scan.list[i]);
    if (!still_there) module->unloaded = epoch_;
  }
  for (uint32_t i = 0; i < scan.count; ++i) {
    const LoadedModule& loaded = scan.list[i];
    uint32_t module = 0;
    for (uint32_t index = 1; index < known && module == 0; ++index) {
      if (SameModule(*ModuleAt(index), loaded)) module = index;
    }
    if (module == 0) module = AddModule(loaded);
    if (module == 0) continue;
    for (uint32_t r = 0; r < loaded.code_ranges; ++r) {
      uint32_t at = after->count++;
      for (; at > 0 && after->list[at - 1].start > loaded.code[r].start; --at) after->list[at] = after->list[at - 1];
      after->list[at] = {loaded.code[r].start, loaded.code[r].end, loaded.bias, module};
    }
  }
  ranges_.store(after, std::memory_order_release);
  merged_version_.store(scan.version, std::memory_order_release);
}

const ModuleTable::Range* ModuleTable::Find(uintptr_t address) const {
  const Ranges* ranges = ranges_.load(std::memory_order_acquire);
  if (ranges == nullptr) return nullptr;
  uint32_t low = 0;
  uint32_t high = ranges->count;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (ranges->list[middle].end < address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  // A return address may be the first one behind its module's code, after a call that never returns.
  if (low == ranges->count || address <= ranges->list[low].start) return nullptr;
  return &ranges->list[low];
}

uint64_t ModuleTable::SiteOfKnown(uintptr_t return_address) const {
  const Range* range = Find(return_address);
  if (range == nullptr) return return_address & kSiteOffsetMask;
  return uint64_t{range->module} << kSiteModuleShift | ((return_address - range->bias) & kSiteOffsetMask);
}

uint64_t ModuleTable::SiteOf(uintptr_t return_address) {
  if (Find(return_address) == nullptr) Refresh();
  return SiteOfKnown(return_address);
}

}  // namespace mallocspy::ledger
