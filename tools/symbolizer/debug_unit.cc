#include "tools/symbolizer/debug_unit.h"

#include <dwarf.h>

#include <algorithm>
#include <cstddef>

#include "tools/symbolizer/debug_entry.h"

namespace mallocspy {
namespace {

constexpr int kMaxStepsBack = 16;

bool HasRanges(Dwarf_Die* entry) {
  return dwarf_hasattr(entry, DW_AT_ranges) != 0 || dwarf_hasattr(entry, DW_AT_low_pc) != 0;
}

bool IsBlock(int tag) {
  switch (tag) {
    case DW_TAG_lexical_block:
    case DW_TAG_try_block:
    case DW_TAG_catch_block:
    case DW_TAG_with_stmt:
      return true;
    default:
      return false;
  }
}

// Appends the inlined functions at `address` below `parent`, outermost first; true if there was one.
bool AppendInlined(Dwarf_Die* parent, Dwarf_Addr address, int depth, std::vector<Dwarf_Die>* chain) {
  Dwarf_Die child;
  if (depth > kMaxDebugDepth || dwarf_child(parent, &child) != 0) return false;
  do {
    const int tag = dwarf_tag(&child);
    if (tag == DW_TAG_inlined_subroutine && dwarf_haspc(&child, address) > 0) {
      chain->push_back(child);
      AppendInlined(&child, address, depth + 1, chain);
      return true;
    }
    if (IsBlock(tag)) {
      const bool has_ranges = HasRanges(&child);
      if (has_ranges && dwarf_haspc(&child, address) <= 0) continue;
      const bool found = AppendInlined(&child, address, depth + 1, chain);
      if (found) return true;
      // Blocks may share code with what is inlined beside them, so the search goes on.
    }
  } while (AdvanceToSibling(&child));
  return false;
}

}  // namespace

DebugUnit::DebugUnit(Dwarf_Die unit) : unit_(unit), tree_(unit) {
  uint8_t type = 0;
  Dwarf_Half version = 0;
  Dwarf_Die split;
  if (dwarf_cu_info(unit_.cu, &version, &type, nullptr, &split, nullptr, nullptr, nullptr) == 0 &&
      type == DW_UT_skeleton && dwarf_tag(&split) != DW_TAG_invalid) {
    tree_ = split;
  }
  CollectFrom(&tree_, /*inside_functions=*/false, 0);
  Sort();
}

std::vector<Dwarf_Die> DebugUnit::FunctionsAt(Dwarf_Addr address) {
  const Dwarf_Die* function = Covering(address);
  if (function == nullptr && !nested_collected_) {
    // Functions within functions (GNU C) are rare, and looking for them reads the whole unit.
    nested_collected_ = true;
    ranges_.clear();
    CollectFrom(&tree_, /*inside_functions=*/true, 0);
    Sort();
    function = Covering(address);
  }
  std::vector<Dwarf_Die> chain;
  if (function == nullptr) return chain;
  chain.push_back(*function);
  Dwarf_Die physical = *function;
  AppendInlined(&physical, address, 0, &chain);
  return chain;
}

void DebugUnit::CollectFrom(Dwarf_Die* parent, bool inside_functions, int depth) {
  Dwarf_Die child;
  if (depth > kMaxDebugDepth || dwarf_child(parent, &child) != 0) return;
  do {
    const int tag = dwarf_tag(&child);
    if (tag == DW_TAG_subprogram) {
      AddFunction(&child);
      if (inside_functions) CollectFrom(&child, true, depth + 1);
    } else if (HoldsFunctions(tag) || (inside_functions && IsBlock(tag))) {
      CollectFrom(&child, inside_functions, depth + 1);
    }
  } while (AdvanceToSibling(&child));
}

void DebugUnit::AddFunction(Dwarf_Die* function) {
  if (!HasRanges(function)) return;
  Dwarf_Addr base = 0;
  Dwarf_Addr low = 0;
  Dwarf_Addr high = 0;
  ptrdiff_t position = 0;
  while ((position = dwarf_ranges(function, position, &base, &low, &high)) > 0) {
    // Functions that the linker dropped keep their entry, at address 0.
    if (low != 0 && low < high) ranges_.push_back({low, high, *function});
  }
}

void DebugUnit::Sort() {
  std::sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) { return a.low < b.low; });
}

const Dwarf_Die* DebugUnit::Covering(Dwarf_Addr address) const {
  auto next = std::upper_bound(ranges_.begin(), ranges_.end(), address,
                               [](Dwarf_Addr value, const Range& range) { return value < range.low; });
  for (int step = 0; next != ranges_.begin() && step < kMaxStepsBack; ++step) {
    --next;
    if (address < next->high) return &next->function;
  }
  return nullptr;
}

}  // namespace mallocspy
