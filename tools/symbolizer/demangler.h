// From the linker's names to the names in the source: C++ (Itanium ABI) and Rust (legacy and v0).
#pragma once

#include <string>
#include <string_view>

namespace mallocspy {

// The source name of a function, for example "std::vector<int>::reserve(unsigned long)" or "core::ptr::read" (without
// the hash that Rust appends). A name that is not mangled, or not well, is returned as it is. What comes out is
// bounded, whatever went in: names come from files that may be hostile. Any thread may call it.
std::string Demangle(std::string_view name);

}  // namespace mallocspy
