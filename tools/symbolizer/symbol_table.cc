#include "tools/symbolizer/symbol_table.h"

#include <gelf.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace mallocspy {
namespace {

// How many symbols before the nearest one may be asked: symbols lie inside one another only in hand-written code.
constexpr int kMaxStepsBack = 16;

// The end address of section `index` if it holds what is asked for, else 0.
uint64_t SectionEnd(Elf* elf, GElf_Word index, SymbolTable::Of what) {
  Elf_Scn* section = elf_getscn(elf, index);
  GElf_Shdr header;
  if (section == nullptr || gelf_getshdr(section, &header) == nullptr) return 0;
  // Data also where it is constant: in a program that is not moved, tables of virtual functions are.
  const bool holds = what == SymbolTable::Of::kCode
                         ? (header.sh_flags & SHF_EXECINSTR) != 0
                         : (header.sh_flags & SHF_ALLOC) != 0 && (header.sh_flags & (SHF_EXECINSTR | SHF_TLS)) == 0;
  if (!holds || header.sh_addr + header.sh_size < header.sh_addr) return 0;
  return header.sh_addr + header.sh_size;
}

bool Names(const GElf_Sym& symbol, GElf_Word section, SymbolTable::Of what) {
  const auto type = GELF_ST_TYPE(symbol.st_info);
  if (what == SymbolTable::Of::kData) {
    if (type != STT_OBJECT || symbol.st_size == 0) return false;
  } else if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE) {
    return false;
  }
  return section != SHN_UNDEF && section != SHN_ABS && section != SHN_COMMON;
}

// A function beats a label, a size beats none, and then what other modules see beats what is local.
uint32_t Rank(const GElf_Sym& symbol) {
  const auto bind = GELF_ST_BIND(symbol.st_info);
  uint32_t rank = bind == STB_GLOBAL ? 2 : bind == STB_WEAK ? 1 : 0;
  if (symbol.st_size != 0) rank += 4;
  if (GELF_ST_TYPE(symbol.st_info) != STT_NOTYPE) rank += 8;
  return rank;
}

}  // namespace

SymbolTable::SymbolTable(Dwfl_Module* module, Dwarf_Addr bias, Of what) {
  const int count = dwfl_module_getsymtab(module);
  std::map<std::pair<Elf*, GElf_Word>, uint64_t> section_ends;
  for (int i = 1; i < count; ++i) {
    GElf_Sym symbol;
    GElf_Addr address = 0;
    GElf_Word section = 0;
    Elf* elf = nullptr;
    Dwarf_Addr elf_bias = 0;
    const char* name = dwfl_module_getsym_info(module, i, &symbol, &address, &section, &elf, &elf_bias);
    if (name == nullptr || name[0] == '\0' || name[0] == '$' || !Names(symbol, section, what)) continue;
    const auto [entry, is_new] = section_ends.try_emplace({elf, section}, 0);
    if (is_new) {
      const uint64_t end = SectionEnd(elf, section, what);
      entry->second = end == 0 ? 0 : end + elf_bias - bias;
    }
    const uint64_t section_end = entry->second;
    const uint64_t start = address - bias;
    if (start >= section_end) continue;
    // Without a size it reaches to the section's end for now; what follows it is known after sorting.
    const uint64_t room = section_end - start;
    const uint64_t size = symbol.st_size != 0 ? std::min<uint64_t>(symbol.st_size, room) : room;
    symbols_.push_back({start, start + size, Rank(symbol), symbol.st_size != 0, name});
  }
  std::sort(symbols_.begin(), symbols_.end(),
            [](const Symbol& a, const Symbol& b) { return std::pair(a.start, a.rank) < std::pair(b.start, b.rank); });
  uint64_t next_start = UINT64_MAX;
  for (auto symbol = symbols_.rbegin(); symbol != symbols_.rend(); ++symbol) {
    if (!symbol->sized) symbol->end = std::min(symbol->end, next_start);
    const auto before = std::next(symbol);
    if (before != symbols_.rend() && before->start != symbol->start) next_start = symbol->start;
  }
}

const char* SymbolTable::Find(uint64_t address, uint64_t* start, uint64_t* end) const {
  auto next = std::upper_bound(symbols_.begin(), symbols_.end(), address,
                               [](uint64_t value, const Symbol& symbol) { return value < symbol.start; });
  for (int step = 0; next != symbols_.begin() && step < kMaxStepsBack; ++step) {
    --next;
    if (address >= next->end) continue;
    if (start != nullptr) *start = next->start;
    if (end != nullptr) *end = next->end;
    return next->name;
  }
  return nullptr;
}

}  // namespace mallocspy
