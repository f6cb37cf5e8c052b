// The functions of one compilation unit, by address.
#pragma once

#include <elfutils/libdw.h>

#include <vector>

namespace mallocspy {

// Built when the first address of a unit is asked for; then each look-up is a binary search and a descent through the
// blocks of one function. Addresses are those of the debug information.
class DebugUnit {
 public:
  // `unit`: the unit's top entry (for split DWARF the skeleton's).
  explicit DebugUnit(Dwarf_Die unit);

  // The entries of the functions at `address`: the physical one first, then those inlined into it, ever deeper.
  // Empty if no function of this unit covers it.
  std::vector<Dwarf_Die> FunctionsAt(Dwarf_Addr address);

  // The entry that owns the line table.
  Dwarf_Die* line_owner() { return &unit_; }

 private:
  struct Range {
    Dwarf_Addr low;
    Dwarf_Addr high;  // one past the last byte
    Dwarf_Die function;
  };

  void CollectFrom(Dwarf_Die* parent, bool inside_functions, int depth);
  void AddFunction(Dwarf_Die* function);
  void Sort();
  const Dwarf_Die* Covering(Dwarf_Addr address) const;

  Dwarf_Die unit_;
  Dwarf_Die tree_;  // owns the functions: unit_ itself, or the split unit it stands for
  std::vector<Range> ranges_;
  bool nested_collected_ = false;
};

}  // namespace mallocspy
