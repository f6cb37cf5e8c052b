#include "allocator/capture/capture_check.h"

#include <cstdlib>

#include "allocator/system/raw_log.h"

namespace mallocspy {
namespace {

void Print(const char* whose, uint32_t depth, bool whole, uint32_t index, uintptr_t address) {
  if (index == 0) {
    RawLine(2).Text("  ").Text(whose).Text(whole ? ", whole, frames: " : ", truncated, frames: ").Number(depth).End();
  }
  RawLine(2).Text("    #").Number(index).Text(" ").Hex(address).End();
}

}  // namespace

void CheckCapture(KnownStack* known, bool whole, uintptr_t first_sp, StackBounds own, uintptr_t* scratch, uint32_t limit) {
  const UnwoundStack unwound = UnwindStack(scratch, limit, first_sp, own);
  if (unwound.depth == 0) return;  // a fork is under way
  const uint32_t depth = known->depth();
  bool same = unwound.depth == depth && unwound.whole == whole;
  for (uint32_t i = 0; same && i < depth; ++i) same = known->frame(depth - 1 - i).state.pc == scratch[i];
  if (same) return;
  RawLine(2).Text("mallocspy: check_capture: the stack by learned rules is not the stack by libunwind; this is an error of "
                  "mallocspy, please report it").End();
  for (uint32_t i = 0; i < depth; ++i) Print("by rules", depth, whole, i, known->frame(depth - 1 - i).state.pc);
  for (uint32_t i = 0; i < unwound.depth; ++i) Print("by libunwind", unwound.depth, unwound.whole, i, scratch[i]);
  std::abort();
}

}  // namespace mallocspy
