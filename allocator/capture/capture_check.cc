#include "allocator/capture/capture_check.h"

#include <cstdlib>

#include "allocator/ledger/ledger.h"
#include "allocator/system/raw_log.h"

namespace mallocspy {
namespace {

void Print(const char* whose, uint32_t depth, bool whole, uint32_t index, uintptr_t address) {
  if (index == 0) {
    RawLine(2).Text("  ").Text(whose).Text(whole ? ", whole, frames: " : ", truncated, frames: ").Number(depth).End();
  }
  RawLine(2).Text("    #").Number(index).Text(" ").Hex(address).End();
}

void PrintRecorded(const char* what, uint32_t stack) {
  RawLine(2).Text("  ").Text(what).Text(", number ").Number(stack).Text(":").End();
  uint32_t index = 0;
  uint32_t node = ledger::g_ledger.At<ledger::Stack>(ledger::TableId::kStacks, stack)->node;
  while (node != 0) {
    const ledger::Node* frame = ledger::g_ledger.At<ledger::Node>(ledger::TableId::kNodes, node);
    RawLine(2).Text("    #").Number(index++).Text(" module ").Number(frame->site >> ledger::kSiteModuleShift).Text(" + ")
        .Hex(frame->site & ledger::kSiteOffsetMask).End();
    node = frame->parent;
  }
}

}  // namespace

void CaptureDiffers(const char* one, uint32_t one_stack, const char* other, uint32_t other_stack) {
  RawLine(2).Text("mallocspy: check_capture: ").Text(one).Text(" is not ").Text(other)
      .Text("; this is an error of mallocspy, please report it").End();
  PrintRecorded(one, one_stack);
  PrintRecorded(other, other_stack);
  std::abort();
}

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
