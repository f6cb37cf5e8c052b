#include "allocator/heap_errors.h"

#include "allocator/ledger/live_map.h"
#include "allocator/stack_recorder.h"
#include "allocator/system/errno_keeper.h"
#include "allocator/system/wrapped_malloc.h"

namespace mallocspy {
namespace {

using ledger::BlockState;
using ledger::ErrorKind;
using ledger::g_ledger;
using ledger::g_live_map;
using ledger::TableId;

// How far below an interior pointer its block's start is looked for, bytes.
constexpr size_t kInteriorReach = size_t{256} << 20;

uint32_t NodeOfStack(uint32_t stack) { return g_ledger.At<ledger::Stack>(TableId::kStacks, stack)->node; }

// In the image of a loaded module: a global or a function.
bool IsInModule(uintptr_t address) {
  for (uint32_t i = 1, count = g_ledger.Count(TableId::kModules); i < count; ++i) {
    const ledger::Module* module = g_ledger.At<ledger::Module>(TableId::kModules, i);
    if (module->unloaded == 0 && module->start <= address && address < module->end) return true;
  }
  return false;
}

}  // namespace

const void* BlockAround(uintptr_t address) {
  const uintptr_t start = g_live_map.LiveAtOrBelow(address, kInteriorReach);
  if (start == 0) return nullptr;
  const void* block = reinterpret_cast<const void*>(start);
  return IsSealed(HeaderOf(block)) && address - start < HeaderOf(block)->size ? block : nullptr;
}

void ReportBlockError(ErrorKind kind, const void* block, const BlockHeader* header, Door used, uint64_t value,
                      ThreadState* thread) {
  const ErrnoKeeper keeper;
  ledger::ErrorReport report{.kind = kind};
  report.address = reinterpret_cast<uintptr_t>(block);
  report.used_door = used;
  report.value = value;
  report.where = RecordPlace(thread);
  report.tid = thread->tid;
  if (header != nullptr) {
    report.block_door = static_cast<Door>(header->door);
    report.size = header->size;
    report.allocated = NodeOfStack(header->stack);
  }
  ledger::AddError(report);
}

void ReportBreach(const char* what, const void* block, size_t bytes, Door door, ThreadState* thread) {
  ledger::ErrorReport report{.kind = ErrorKind::kSpyContract};
  report.address = reinterpret_cast<uintptr_t>(block);
  report.size = bytes;
  report.used_door = door;
  report.where = RecordPlace(thread);
  report.tid = thread->tid;
  report.detail = what;
  ledger::AddError(report);
}

bool JudgeForeign(const void* pointer, Door used, ThreadState* thread) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(pointer);
  if (g_live_map.StateOf(address) == BlockState::kFreed) {
    ReportBlockError(ErrorKind::kDoubleFree, pointer, nullptr, used, 0, thread);
    return true;
  }
  if (const void* around = BlockAround(address); around != nullptr) {
    const BlockHeader header = *HeaderOf(around);
    const uint64_t offset = address - reinterpret_cast<uintptr_t>(around);
    ReportBlockError(ErrorKind::kInvalidFree, pointer, &header, used, offset, thread);
    return true;
  }
  const bool on_stack = thread->stack_low <= address && address < thread->stack_high;
  if (on_stack || IsInModule(address) || !wrapped::MayOwn(pointer)) {
    ReportBlockError(ErrorKind::kInvalidFree, pointer, nullptr, used, 0, thread);
    return true;
  }
  return false;
}

}  // namespace mallocspy
