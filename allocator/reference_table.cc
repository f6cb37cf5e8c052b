#include "allocator/reference_table.h"

#include "allocator/block_header.h"
#include "allocator/heap_errors.h"
#include "allocator/ledger/error_table.h"
#include "allocator/ledger/ledger.h"
#include "allocator/process.h"
#include "allocator/system/os_memory.h"

namespace mallocspy {

constinit ReferenceTable g_references;

namespace {

using ledger::g_ledger;
using ledger::TableId;

void NoteCall(uint32_t error, uint32_t node, uint32_t added, uint32_t released) {
  FutexLockHolder hold(g_ledger.lock());
  for (uint32_t i = 1, count = g_ledger.Count(TableId::kReferenceCalls); i < count; ++i) {
    ledger::ReferenceCall* known = g_ledger.At<ledger::ReferenceCall>(TableId::kReferenceCalls, i);
    if (known->error != error || known->node != node) continue;
    known->added += added;
    known->released += released;
    return;
  }
  const uint32_t index = g_ledger.Reserve(TableId::kReferenceCalls);
  if (index == 0) return g_ledger.SetDegraded(ledger::kLedgerFull);
  *g_ledger.At<ledger::ReferenceCall>(TableId::kReferenceCalls, index) = {error, node, added, released};
  g_ledger.Publish(TableId::kReferenceCalls, index + 1);
}

}  // namespace

bool ReferenceTable::Start() {
  if (calls_ != nullptr) return true;
  if (buckets_ == nullptr) buckets_ = static_cast<uint32_t*>(MapPrivate(kBuckets * sizeof(uint32_t)));
  if (buckets_ == nullptr) return false;
  Object* objects = static_cast<Object*>(MapPrivate(kMostObjects * sizeof(Object)));
  if (objects == nullptr) return false;
  calls_ = static_cast<Call*>(MapPrivate(kMostCalls * sizeof(Call)));
  if (calls_ == nullptr) {
    Unmap(objects, kMostObjects * sizeof(Object));
    return false;
  }
  // Frees are looked at from now on.
  g_settings.watches_frees = true;
  objects_ = objects;
  return true;
}

ReferenceTable::Object* ReferenceTable::Find(uintptr_t address) {
  if (objects_ == nullptr) return nullptr;
  for (uint32_t i = *BucketOf(address); i != 0; i = objects_[i].next) {
    if (objects_[i].address == address) return &objects_[i];
  }
  return nullptr;
}

ReferenceTable::Object* ReferenceTable::Make(uintptr_t address, const char* class_name, uint32_t count) {
  if (!Start()) return nullptr;
  uint32_t index = unused_object_;
  if (index != 0) {
    unused_object_ = objects_[index].next;
  } else if (object_count_ < kMostObjects) {
    index = object_count_++;
  } else {
    g_ledger.SetDegraded(ledger::kLedgerFull);
    return nullptr;
  }
  uint32_t* bucket = BucketOf(address);
  objects_[index] = {address, class_name, *bucket, 0, count, g_settings.base_mark};
  *bucket = index;
  return &objects_[index];
}

void ReferenceTable::Note(Object* object, uint32_t node, bool added) {
  uint32_t index = object->first_call;
  while (index != 0 && calls_[index].node != node) index = calls_[index].next;
  if (index == 0) {
    index = unused_call_;
    if (index != 0) {
      unused_call_ = calls_[index].next;
    } else if (call_count_ < kMostCalls) {
      index = call_count_++;
    } else {
      return g_ledger.SetDegraded(ledger::kLedgerFull);
    }
    calls_[index] = {node, object->first_call, 0, 0};
    object->first_call = index;
  }
  ++(added ? calls_[index].added : calls_[index].released);
}

void ReferenceTable::End(Object* object) {
  uint32_t call = object->first_call;
  while (call != 0) {
    const uint32_t next = calls_[call].next;
    calls_[call].next = unused_call_;
    unused_call_ = call;
    call = next;
  }
  const uint32_t index = static_cast<uint32_t>(object - objects_);
  uint32_t* place = BucketOf(object->address);
  while (*place != index) place = &objects_[*place].next;
  *place = object->next;
  object->address = 0;
  object->next = unused_object_;
  unused_object_ = index;
}

void ReferenceTable::Add(uintptr_t address, const char* class_name, uint32_t count, uint32_t node) {
  FutexLockHolder hold(lock_);
  Object* object = Find(address);
  if (object == nullptr) object = Make(address, class_name, count - 1);
  if (object == nullptr) return;
  ++object->count;
  Note(object, node, true);
}

bool ReferenceTable::Release(uintptr_t address, const char* class_name, uint32_t count, uint32_t node) {
  constexpr uint32_t kBelowZero = uint32_t{1} << 31;
  FutexLockHolder hold(lock_);
  Object* object = Find(address);
  if (object == nullptr) {
    if (count >= kBelowZero) return false;
    if (count == 0) return true;  // its only release that is told
    object = Make(address, class_name, count + 1);
    if (object == nullptr) return true;
  }
  Note(object, node, false);
  if (--object->count == 0) End(object);
  return true;
}

// What all objects of one place and class have in common is one error.
void ReferenceTable::Report(const Object& object, const void* block, uint32_t freed, uint32_t tid) {
  if (object.base_mark != g_settings.base_mark) return;
  ledger::ErrorReport report{.kind = ledger::ErrorKind::kUnbalancedReferences};
  report.address = object.address;
  report.value = object.count;
  report.freed = freed;
  report.tid = tid;
  report.detail = object.class_name;
  if (block != nullptr) {
    const BlockHeader* header = HeaderOf(block);
    report.size = header->size;
    report.block_door = static_cast<Door>(header->door);
    report.allocated = g_ledger.At<ledger::Stack>(TableId::kStacks, header->stack)->node;
  }
  uint32_t error;
  ledger::AddError(report, &error);
  if (error == 0) return;
  for (uint32_t call = object.first_call; call != 0; call = calls_[call].next) {
    NoteCall(error, calls_[call].node, calls_[call].added, calls_[call].released);
  }
}

void ReferenceTable::BlockEnds(const void* block, size_t bytes, uint32_t node, uint32_t tid) {
  constexpr size_t kMostSteps = 1 << 16;  // of a larger block all objects are looked at
  const uintptr_t start = reinterpret_cast<uintptr_t>(block);
  FutexLockHolder hold(lock_);
  const auto end = [&](Object* object) {
    Report(*object, block, node, tid);
    End(object);
  };
  if (bytes / sizeof(void*) < kMostSteps && bytes / sizeof(void*) < object_count_) {
    // Objects are aligned to a pointer at least: they have a table of methods.
    for (uintptr_t address = start; address < start + bytes; address += sizeof(void*)) {
      if (Object* object = Find(address); object != nullptr) end(object);
    }
    return;
  }
  for (uint32_t i = 1; i < object_count_; ++i) {
    if (objects_[i].address >= start && objects_[i].address < start + bytes) end(&objects_[i]);
  }
}

void ReferenceTable::ReportAll() {
  for (uint32_t i = 1; objects_ != nullptr && i < object_count_; ++i) {
    if (objects_[i].address != 0) Report(objects_[i], BlockAround(objects_[i].address), 0, 0);
  }
}

}  // namespace mallocspy
