#include "tools/symbolizer/debug_entry.h"

#include <dwarf.h>

namespace mallocspy {

bool AdvanceToSibling(Dwarf_Die* entry) {
  Dwarf_Die next;
  if (dwarf_siblingof(entry, &next) != 0 || dwarf_dieoffset(&next) <= dwarf_dieoffset(entry)) return false;
  *entry = next;
  return true;
}

bool HoldsFunctions(int tag) {
  switch (tag) {
    case DW_TAG_namespace:
    case DW_TAG_module:
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type:
    case DW_TAG_enumeration_type:
    case DW_TAG_interface_type:
      return true;
    default:
      return false;
  }
}

}  // namespace mallocspy
