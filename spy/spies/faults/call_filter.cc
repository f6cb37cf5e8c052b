#include "spy/spies/faults/call_filter.h"

#include <elf.h>
#include <string.h>

#include "spy/spies/arguments.h"
#include "spy/spies/faults/symbol_name.h"
#include "spy/spies/system.h"

namespace mallocspy::spies::faults {
namespace {

// `bytes` of a table of records in a file, if they lie in it.
template <typename Record>
const Record* RecordsAt(const void* file, size_t file_bytes, uint64_t offset, uint64_t bytes) {
  if (offset > file_bytes || bytes > file_bytes - offset || offset % alignof(Record) != 0) return nullptr;
  return reinterpret_cast<const Record*>(static_cast<const char*>(file) + offset);
}

// "libfoo" and "libfoo.so" are libfoo.so.1, too.
bool IsModuleNamed(const char* path, size_t bytes, const char* name) {
  const size_t name_bytes = strlen(name);
  if (strchr(name, '/') != nullptr) return bytes == name_bytes && memcmp(path, name, bytes) == 0;
  const void* slash = memrchr(path, '/', bytes);
  if (slash != nullptr) {
    bytes -= static_cast<size_t>(static_cast<const char*>(slash) + 1 - path);
    path = static_cast<const char*>(slash) + 1;
  }
  if (bytes < name_bytes || memcmp(path, name, name_bytes) != 0) return false;
  const char* rest = path + name_bytes;
  const size_t rest_bytes = bytes - name_bytes;
  if (rest_bytes == 0 || (rest_bytes >= 3 && memcmp(rest, ".so", 3) == 0)) return true;
  return rest[0] == '.' && strstr(name, ".so") != nullptr;
}

}  // namespace

bool CallFilter::Passes(const mallocspy_frame* frames, size_t count) {
  if (settings_->name_count == 0) return true;
  uint32_t names = 0;
  for (size_t i = 0; i < count; ++i) {
    const Module* module = frames[i].module_bytes != 0 ? ModuleOf(frames[i]) : nullptr;
    if (module == nullptr) continue;
    names |= module->names;
    for (size_t j = 0; j < module->ranges; ++j) {
      const Range& range = ranges_[module->first_range + j];
      // The address is where the call returns to, which may be the next function's.
      if (range.low < frames[i].offset && frames[i].offset <= range.high) names |= range.names;
    }
  }
  return (names & settings_->outside) == 0 && (settings_->within == 0 || (names & settings_->within) != 0);
}

const CallFilter::Module* CallFilter::ModuleOf(const mallocspy_frame& frame) {
  for (const Module& module : modules_) {
    if (module.path == frame.module) return &module;
  }
  Module module = {frame.module, ranges_.size(), 0, NamesOfModule(frame)};
  char path[system::kPathBytes];
  if (CopyText(frame.module, frame.module_bytes, path, sizeof(path))) ReadFunctions(path, &module);
  return modules_.Append(module) ? &modules_[modules_.size() - 1] : nullptr;
}

uint32_t CallFilter::NamesOfModule(const mallocspy_frame& frame) const {
  uint32_t names = 0;
  for (size_t i = 0; i < settings_->name_count; ++i) {
    if (IsModuleNamed(frame.module, frame.module_bytes, settings_->names[i])) names |= uint32_t{1} << i;
  }
  return names;
}

void CallFilter::ReadFunctions(const char* path, Module* module) {
  size_t bytes;
  const void* file = system::MapFile(path, &bytes);
  if (file == nullptr) return;
  ReadSymbols(file, bytes);
  module->ranges = ranges_.size() - module->first_range;
  system::Unmap(const_cast<void*>(file), bytes);
}

// Nothing in the file is trusted: it may have been changed since it was loaded.
void CallFilter::ReadSymbols(const void* file, size_t bytes) {
  const auto* header = RecordsAt<Elf64_Ehdr>(file, bytes, 0, sizeof(Elf64_Ehdr));
  if (header == nullptr || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
      header->e_shentsize != sizeof(Elf64_Shdr)) {
    return;
  }
  const size_t section_count = header->e_shnum;
  const auto* sections = RecordsAt<Elf64_Shdr>(file, bytes, header->e_shoff, section_count * sizeof(Elf64_Shdr));
  if (sections == nullptr) return;
  for (size_t i = 0; i < section_count; ++i) {
    if ((sections[i].sh_type != SHT_SYMTAB && sections[i].sh_type != SHT_DYNSYM) || sections[i].sh_link >= section_count) continue;
    const Elf64_Shdr& names = sections[sections[i].sh_link];
    const auto* symbols = RecordsAt<Elf64_Sym>(file, bytes, sections[i].sh_offset, sections[i].sh_size);
    const auto* texts = RecordsAt<char>(file, bytes, names.sh_offset, names.sh_size);
    if (symbols == nullptr || texts == nullptr || names.sh_size == 0 || texts[names.sh_size - 1] != '\0') continue;
    for (size_t j = 0; j < sections[i].sh_size / sizeof(Elf64_Sym); ++j) {
      const Elf64_Sym& symbol = symbols[j];
      if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF || symbol.st_name >= names.sh_size) continue;
      Range range = {symbol.st_value, symbol.st_value + symbol.st_size, 0};
      for (size_t name = 0; name < settings_->name_count; ++name) {
        if (IsFunctionNamed(texts + symbol.st_name, settings_->names[name])) range.names |= uint32_t{1} << name;
      }
      if (range.names != 0) ranges_.Append(range);
    }
  }
}

}  // namespace mallocspy::spies::faults
