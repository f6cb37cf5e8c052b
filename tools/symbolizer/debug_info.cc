#include "tools/symbolizer/debug_info.h"

#include <dwarf.h>

#include <algorithm>
#include <cstddef>

namespace mallocspy {
namespace {

constexpr int kMaxStepsBack = 16;

int NumberOf(Dwarf_Die* entry, unsigned name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (dwarf_attr(entry, name, &attribute) == nullptr || dwarf_formudata(&attribute, &value) != 0) return 0;
  return value <= 0x7fffffff ? static_cast<int>(value) : 0;
}

// The file that DW_AT_call_file of `inlined` names. The number counts from 0 or 1 by the version of the line table,
// which libdw's table already reflects; but it belongs to the unit that holds the entry.
const char* CallFile(Dwarf_Die* inlined) {
  Dwarf_Attribute attribute;
  Dwarf_Word index = 0;
  if (dwarf_attr(inlined, DW_AT_call_file, &attribute) == nullptr || dwarf_formudata(&attribute, &index) != 0) {
    return nullptr;
  }
  Dwarf_Die unit;
  Dwarf_Files* files = nullptr;
  size_t count = 0;
  if (dwarf_diecu(inlined, &unit, nullptr, nullptr) == nullptr || dwarf_getsrcfiles(&unit, &files, &count) != 0 ||
      index >= count) {
    return nullptr;
  }
  return dwarf_filesrc(files, index, nullptr, nullptr);
}

void SetLine(Dwarf_Die* unit, Dwarf_Addr address, DebugFrame* frame) {
  Dwarf_Line* line = dwarf_getsrc_die(unit, address);
  if (line == nullptr) return;
  frame->file = dwarf_linesrc(line, nullptr, nullptr);
  dwarf_lineno(line, &frame->line);
  dwarf_linecol(line, &frame->column);
  // A damaged table counts below its first line.
  frame->line = std::max(frame->line, 0);
  frame->column = std::max(frame->column, 0);
}

}  // namespace

std::vector<DebugFrame> DebugInfo::FramesAt(Dwarf_Addr address) {
  DebugUnit* by_aranges = UnitByAranges(address);
  if (by_aranges != nullptr) {
    std::vector<DebugFrame> frames = FramesIn(by_aranges, address);
    if (!frames.empty()) return frames;
  }
  DebugUnit* by_ranges = UnitByRanges(address);
  if (by_ranges != nullptr && by_ranges != by_aranges) {
    std::vector<DebugFrame> frames = FramesIn(by_ranges, address);
    if (!frames.empty()) return frames;
  }
  DebugUnit* unit = by_aranges != nullptr ? by_aranges : by_ranges;
  DebugFrame line_only;
  if (unit != nullptr) SetLine(unit->line_owner(), address, &line_only);
  if (line_only.file == nullptr) return {};
  return {line_only};
}

std::vector<DebugFrame> DebugInfo::FramesIn(DebugUnit* unit, Dwarf_Addr address) {
  std::vector<Dwarf_Die> functions = unit->FunctionsAt(address);
  std::vector<DebugFrame> frames;
  DebugFrame place;  // where the frame being made stands
  SetLine(unit->line_owner(), address, &place);
  for (auto function = functions.rbegin(); function != functions.rend(); ++function) {
    SetName(&*function, &place);
    frames.push_back(place);
    place.file = CallFile(&*function);
    place.line = NumberOf(&*function, DW_AT_call_line);
    place.column = NumberOf(&*function, DW_AT_call_column);
  }
  return frames;
}

void DebugInfo::SetName(Dwarf_Die* function, DebugFrame* frame) {
  Dwarf_Attribute attribute;
  const char* name = nullptr;
  if (dwarf_attr_integrate(function, DW_AT_linkage_name, &attribute) != nullptr ||
      dwarf_attr_integrate(function, DW_AT_MIPS_linkage_name, &attribute) != nullptr) {
    name = dwarf_formstring(&attribute);
  }
  frame->linkage_name = name != nullptr;
  if (name == nullptr) name = scope_names_.Find(function);
  frame->function = name != nullptr ? name : dwarf_diename(function);
}

DebugUnit* DebugInfo::UnitByAranges(Dwarf_Addr address) {
  if (!aranges_read_) {
    aranges_read_ = true;
    if (dwarf_getaranges(dwarf_, &aranges_, nullptr) != 0) aranges_ = nullptr;
  }
  if (aranges_ == nullptr) return nullptr;
  Dwarf_Arange* range = dwarf_getarange_addr(aranges_, address);
  Dwarf_Off offset = 0;
  Dwarf_Die entry;
  if (range == nullptr || dwarf_getarangeinfo(range, nullptr, nullptr, &offset) != 0 ||
      dwarf_offdie(dwarf_, offset, &entry) == nullptr) {
    return nullptr;
  }
  return UnitOf(entry);
}

DebugUnit* DebugInfo::UnitByRanges(Dwarf_Addr address) {
  if (!unit_ranges_read_) {
    unit_ranges_read_ = true;
    CollectUnitRanges();
  }
  auto next = std::upper_bound(unit_ranges_.begin(), unit_ranges_.end(), address,
                               [](Dwarf_Addr value, const UnitRange& range) { return value < range.low; });
  for (int step = 0; next != unit_ranges_.begin() && step < kMaxStepsBack; ++step) {
    --next;
    if (address < next->high) return UnitOf(next->unit);
  }
  return nullptr;
}

DebugUnit* DebugInfo::UnitOf(Dwarf_Die entry) {
  std::unique_ptr<DebugUnit>& unit = units_[dwarf_dieoffset(&entry)];
  if (unit == nullptr) unit = std::make_unique<DebugUnit>(entry);
  return unit.get();
}

void DebugInfo::CollectUnitRanges() {
  Dwarf_CU* cu = nullptr;
  Dwarf_Die entry;
  uint8_t type = 0;
  while (dwarf_get_units(dwarf_, cu, &cu, nullptr, &type, &entry, nullptr) == 0) {
    if (type != DW_UT_compile && type != DW_UT_skeleton) continue;
    Dwarf_Addr base = 0;
    Dwarf_Addr low = 0;
    Dwarf_Addr high = 0;
    ptrdiff_t position = 0;
    while ((position = dwarf_ranges(&entry, position, &base, &low, &high)) > 0) {
      if (low != 0 && low < high) unit_ranges_.push_back({low, high, entry});
    }
  }
  std::sort(unit_ranges_.begin(), unit_ranges_.end(),
            [](const UnitRange& a, const UnitRange& b) { return a.low < b.low; });
}

}  // namespace mallocspy
