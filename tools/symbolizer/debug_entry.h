// How entries of debug information are walked: forward only and not too deep, whatever the file says.
#pragma once

#include <elfutils/libdw.h>

namespace mallocspy {

// Compilers nest far less; files that nest more are broken or hostile.
inline constexpr int kMaxDebugDepth = 256;

// Makes `entry` its next sibling; false if there is none. A broken sibling attribute must not lead back.
bool AdvanceToSibling(Dwarf_Die* entry);

// Whether an entry with this tag may hold functions that have code or names: C++ defines member functions outside
// their class, Rust inside.
bool HoldsFunctions(int tag);

}  // namespace mallocspy
