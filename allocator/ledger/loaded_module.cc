#include "allocator/ledger/loaded_module.h"

#include <elf.h>

#include <cstring>

#include "allocator/system/os_memory.h"

namespace mallocspy::ledger {
namespace {

// Finds NT_GNU_BUILD_ID in a mapped note segment (gABI, "Note Section"; names and descriptors padded to 4 or 8).
void ReadBuildId(const char* notes, size_t size, size_t padding, LoadedModule* module) {
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes, sizeof(note));
    const size_t name_bytes = RoundUp(note.n_namesz, padding);
    const size_t content_bytes = RoundUp(note.n_descsz, padding);
    const size_t whole = sizeof(note) + name_bytes + content_bytes;
    if (whole > size) return;
    const char* name = notes + sizeof(note);
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0) {
      const size_t bytes = note.n_descsz < sizeof(module->build_id) ? note.n_descsz : sizeof(module->build_id);
      std::memcpy(module->build_id, name + name_bytes, bytes);
      module->build_id_bytes = static_cast<uint32_t>(bytes);
      return;
    }
    notes += whole;
    size -= whole;
  }
}

}  // namespace

bool ReadLoadedModule(const dl_phdr_info& info, LoadedModule* module) {
  module->bias = info.dlpi_addr;
  module->start = UINTPTR_MAX;
  module->end = 0;
  module->build_id_bytes = 0;
  module->code_ranges = 0;
  module->is_executable = false;
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info.dlpi_phdr[i];
    const uintptr_t start = info.dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_NOTE) {
      ReadBuildId(reinterpret_cast<const char*>(start), segment.p_memsz, segment.p_align == 8 ? 8 : 4, module);
    }
    if (segment.p_type != PT_LOAD) continue;
    if (start < module->start) module->start = start;
    if (start + segment.p_memsz > module->end) module->end = start + segment.p_memsz;
    if ((segment.p_flags & PF_X) != 0 && module->code_ranges < sizeof(module->code) / sizeof(module->code[0])) {
      module->code[module->code_ranges].start = start;
      module->code[module->code_ranges].end = start + segment.p_memsz;
      ++module->code_ranges;
    }
  }
  const size_t length = info.dlpi_name != nullptr ? std::strlen(info.dlpi_name) : 0;
  module->path_bytes = static_cast<uint32_t>(length < sizeof(module->path) ? length : sizeof(module->path));
  if (length != 0) std::memcpy(module->path, info.dlpi_name, module->path_bytes);
  return module->code_ranges != 0;
}

}  // namespace mallocspy::ledger
