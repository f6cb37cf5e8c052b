#include "tools/symbolizer/scope_names.h"

#include <dwarf.h>

#include "tools/symbolizer/debug_entry.h"

namespace mallocspy {
namespace {

// The entry that `function` is an instance or the definition of, in the end.
Dwarf_Die Declaration(Dwarf_Die function) {
  for (int step = 0; step < kMaxDebugDepth; ++step) {
    Dwarf_Attribute attribute;
    Dwarf_Die next;
    if (dwarf_attr(&function, DW_AT_abstract_origin, &attribute) == nullptr &&
        dwarf_attr(&function, DW_AT_specification, &attribute) == nullptr) {
      break;
    }
    if (dwarf_formref_die(&attribute, &next) == nullptr) break;
    function = next;
  }
  return function;
}

std::string NameOf(Dwarf_Die* entry) {
  const char* name = dwarf_diename(entry);
  if (name != nullptr) return name;
  return dwarf_tag(entry) == DW_TAG_namespace ? "(anonymous namespace)" : "(anonymous)";
}

}  // namespace

const char* ScopeNames::Find(Dwarf_Die* function) {
  Dwarf_Die declaration = Declaration(*function);
  Dwarf_Die unit;
  if (dwarf_diecu(&declaration, &unit, nullptr, nullptr) == nullptr) return nullptr;
  if (walked_.insert(unit.addr).second) Collect(&unit, std::string(), 0);
  const auto found = names_.find(declaration.addr);
  return found != names_.end() ? found->second.c_str() : nullptr;
}

void ScopeNames::Collect(Dwarf_Die* parent, const std::string& prefix, int depth) {
  Dwarf_Die child;
  if (depth > kMaxDebugDepth || dwarf_child(parent, &child) != 0) return;
  do {
    const int tag = dwarf_tag(&child);
    if (HoldsFunctions(tag)) {
      Collect(&child, prefix + NameOf(&child) + "::", depth + 1);
    } else if (tag == DW_TAG_subprogram && !prefix.empty() && dwarf_hasattr(&child, DW_AT_linkage_name) == 0) {
      names_.emplace(child.addr, prefix + NameOf(&child));
    }
  } while (AdvanceToSibling(&child));
}

}  // namespace mallocspy
