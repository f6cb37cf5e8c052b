// What a class with a reference count tells (reference_counts.h).
#include "allocator/heap_errors.h"
#include "allocator/interpose/export.h"
#include "allocator/reference_counts.h"
#include "allocator/reference_table.h"
#include "allocator/stack_recorder.h"
#include "allocator/system/errno_keeper.h"
#include "spy/door_frame.h"

namespace {

// Calls visit(node, thread) with the place of the call at `frame`, if it is recorded.
template <typename Visit>
void AtPlace(const mallocspy::DoorFrame* frame, Visit visit) {
  const mallocspy::ErrnoKeeper keeper;
  const mallocspy::Event event;
  if (!event.recording()) return;
  event.thread()->frame = frame;
  visit(mallocspy::RecordPlace(event.thread()), event.thread());
}

}  // namespace

extern "C" {

MALLOCSPY_DOOR void mallocspy_added_reference(const void* object, const char* class_name, uint32_t count) {
  AtPlace(MALLOCSPY_DOOR_FRAME(), [=](uint32_t node, mallocspy::ThreadState*) {
    mallocspy::g_references.Add(reinterpret_cast<uintptr_t>(object), class_name, count, node);
  });
}

MALLOCSPY_DOOR void mallocspy_releases_reference(const void* object, const char* class_name, uint32_t count) {
  AtPlace(MALLOCSPY_DOOR_FRAME(), [=](uint32_t node, mallocspy::ThreadState* thread) {
    if (mallocspy::g_references.Release(reinterpret_cast<uintptr_t>(object), class_name, count, node)) return;
    mallocspy::ReportReleaseTooMany(object, class_name, count, node, thread);
  });
}

}  // extern "C"
