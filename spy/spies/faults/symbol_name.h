// Whether a linker's symbol is the function that a person names.
#pragma once

namespace mallocspy::spies::faults {

// `name` is that of a C function or a C++ one as its source says it, with as many of its scopes as are given and without parameters and
// template arguments: "Grow", "Buffer::Grow" and "net::Buffer::Grow" all are _ZN3net6Buffer4GrowEm. Names of the Itanium C++ ABI.
bool IsFunctionNamed(const char* symbol, const char* name);

}  // namespace mallocspy::spies::faults
