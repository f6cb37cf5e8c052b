// Which code is the library's own, so that a stack can begin at the program's call.
#pragma once

#include <cstdint>

namespace mallocspy {

// Only the shared library declares its code; linked into a test, nothing is own.
void DeclareOwnCode(uintptr_t start, uintptr_t end);
bool IsOwnCode(uintptr_t return_address);

}  // namespace mallocspy
