// Qualified names of functions that have no linkage name.
#pragma once

#include <elfutils/libdw.h>

#include <string>
#include <unordered_map>
#include <unordered_set>

namespace mallocspy {

// A function of an unnamed namespace that was inlined everywhere has a plain name only; where it stands tells the rest.
// Entries do not know their parents, so a unit is walked once, when first asked about.
class ScopeNames {
 public:
  // "(anonymous namespace)::Parse" of `function`, an entry or an instance of one; nullptr if it stands in no scope.
  // The result lives as long as this object.
  const char* Find(Dwarf_Die* function);

 private:
  void Collect(Dwarf_Die* parent, const std::string& prefix, int depth);

  std::unordered_set<const void*> walked_;              // units, by the address of their entry
  std::unordered_map<const void*, std::string> names_;  // of functions, likewise
};

}  // namespace mallocspy
