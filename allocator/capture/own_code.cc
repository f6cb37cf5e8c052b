#include "allocator/capture/own_code.h"

namespace mallocspy {
namespace {

constinit uintptr_t own_start = 0;
constinit uintptr_t own_end = 0;

}  // namespace

void DeclareOwnCode(uintptr_t start, uintptr_t end) {
  own_start = start;
  own_end = end;
}

bool IsOwnCode(uintptr_t return_address) { return return_address >= own_start && return_address <= own_end && own_end != 0; }

}  // namespace mallocspy
