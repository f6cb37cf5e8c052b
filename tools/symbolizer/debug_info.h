// Functions, files and lines at an address, from a module's DWARF.
#pragma once

#include <elfutils/libdw.h>

#include <memory>
#include <unordered_map>
#include <vector>

#include "tools/symbolizer/debug_unit.h"
#include "tools/symbolizer/scope_names.h"

namespace mallocspy {

// One function at an address. Strings belong to the DebugInfo.
struct DebugFrame {
  const char* function = nullptr;  // linkage name if there is one, else the qualified one; nullptr if not known
  bool linkage_name = false;       // `function` is to be demangled
  const char* file = nullptr;
  int line = 0;
  int column = 0;
};

// Finds units by .debug_aranges, and by the units' own ranges where that section is missing (clang) or wrong.
class DebugInfo {
 public:
  explicit DebugInfo(Dwarf* dwarf) : dwarf_(dwarf) {}

  // The frames at `address` (as the debug information counts), innermost first. Without a function but with a line
  // there is one frame without a name.
  std::vector<DebugFrame> FramesAt(Dwarf_Addr address);

 private:
  struct UnitRange {
    Dwarf_Addr low;
    Dwarf_Addr high;
    Dwarf_Die unit;
  };

  std::vector<DebugFrame> FramesIn(DebugUnit* unit, Dwarf_Addr address);
  void SetName(Dwarf_Die* function, DebugFrame* frame);
  DebugUnit* UnitByAranges(Dwarf_Addr address);
  DebugUnit* UnitByRanges(Dwarf_Addr address);
  DebugUnit* UnitOf(Dwarf_Die entry);
  void CollectUnitRanges();

  Dwarf* dwarf_;
  Dwarf_Aranges* aranges_ = nullptr;
  bool aranges_read_ = false;
  bool unit_ranges_read_ = false;
  std::vector<UnitRange> unit_ranges_;  // by low
  std::unordered_map<Dwarf_Off, std::unique_ptr<DebugUnit>> units_;
  ScopeNames scope_names_;
};

}  // namespace mallocspy
