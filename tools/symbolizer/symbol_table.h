// Which function's or variable's symbol covers an address, from the ELF symbol tables of a module.
#pragma once

#include <elfutils/libdwfl.h>

#include <cstdint>
#include <vector>

namespace mallocspy {

// All symbols of that kind that libdwfl finds (.symtab of the module or of its debug file, else .dynsym, and
// .gnu_debugdata), sorted once: libdwfl's own look-up is linear.
class SymbolTable {
 public:
  enum class Of { kCode, kData };

  // Of the module's functions or of its variables and constants. `bias`: what libdwfl added to the module's addresses. `module` must outlive the table,
  // which borrows its names.
  SymbolTable(Dwfl_Module* module, Dwarf_Addr bias, Of what = Of::kCode);

  // The (mangled) name of the function, or variable, at `address` of the module, or nullptr.
  const char* Find(uint64_t address) const { return Find(address, nullptr, nullptr); }
  // With its first byte and one past its last, where these are asked for.
  const char* Find(uint64_t address, uint64_t* start, uint64_t* end) const;

 private:
  struct Symbol {
    uint64_t start;
    uint64_t end;   // one past the last byte; of a symbol without a size: the next symbol or the section's end
    uint32_t rank;  // among symbols of one address: how good the name is, higher is better
    bool sized;
    const char* name;
  };

  std::vector<Symbol> symbols_;  // by start, best last
};

}  // namespace mallocspy
