#include "allocator/ledger/error_table.h"

#include <cstring>

namespace mallocspy::ledger {
namespace {

// A program that errs in more distinct ways than this has been told enough; the rest is counted.
constexpr uint32_t kMaxErrors = 4096;

bool Same(const Error& known, const ErrorReport& report) {
  return known.kind == static_cast<uint32_t>(report.kind) && known.where == report.where &&
         known.allocated == report.allocated && known.freed == report.freed &&
         known.block_door == static_cast<uint8_t>(report.block_door) &&
         known.used_door == static_cast<uint8_t>(report.used_door);
}

bool SameDetail(const Error& known, const ErrorReport& report) {
  if (report.detail == nullptr) return known.detail.length == 0;
  return known.detail.length == std::strlen(report.detail) &&
         std::memcmp(g_ledger.At<char>(TableId::kStrings, known.detail.offset), report.detail, known.detail.length) == 0;
}

// Whether a sweep has told of this damage; the block's own end takes it from the sweeps.
bool IsToldBySweep(Error* known, const ErrorReport& report) {
  if ((known->flags & kErrorBySweep) == 0 || known->kind != static_cast<uint32_t>(report.kind) || known->address != report.address ||
      known->allocated != report.allocated || known->freed != report.freed) {
    return false;
  }
  if (!report.by_sweep) known->flags &= static_cast<uint16_t>(~kErrorBySweep);
  return true;
}

}  // namespace

bool AddError(const ErrorReport& report, uint32_t* number) {
  if (number != nullptr) *number = 0;
  FutexLockHolder hold(g_ledger.lock());
  const uint32_t count = g_ledger.Count(TableId::kErrors);
  for (uint32_t i = 1; i < count; ++i) {
    Error* known = g_ledger.At<Error>(TableId::kErrors, i);
    if (IsToldBySweep(known, report)) return false;
    if (Same(*known, report) && SameDetail(*known, report)) {
      known->count.fetch_add(1, std::memory_order_relaxed);
      if (number != nullptr) *number = i;
      if (report.by_sweep && (known->flags & kErrorBySweep) == 0) {
        known->flags |= kErrorBySweep;
        known->address = report.address;
      }
      return false;
    }
  }
  const uint32_t index = count <= kMaxErrors ? g_ledger.Reserve(TableId::kErrors) : 0;
  if (index == 0) {
    g_ledger.SetDegraded(kTooManyErrors);
    g_ledger.header().errors_dropped.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  Error* error = g_ledger.At<Error>(TableId::kErrors, index);
  error->kind = static_cast<uint32_t>(report.kind);
  error->block_door = static_cast<uint8_t>(report.block_door);
  error->used_door = static_cast<uint8_t>(report.used_door);
  error->flags = static_cast<uint16_t>((report.by_sweep ? kErrorBySweep : 0) | (report.trapped ? kErrorTrapped : 0));
  error->address = report.address;
  error->size = report.size;
  error->value = report.value;
  error->where = report.where;
  error->allocated = report.allocated;
  error->freed = report.freed;
  error->tid = report.tid;
  error->detail = report.detail != nullptr ? g_ledger.AddString(report.detail, std::strlen(report.detail)) : StringRef{};
  error->count.store(1, std::memory_order_relaxed);
  g_ledger.Publish(TableId::kErrors, index + 1);
  if (number != nullptr) *number = index;
  return true;
}

}  // namespace mallocspy::ledger
