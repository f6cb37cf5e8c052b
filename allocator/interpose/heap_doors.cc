// What a program can ask of its heap (heap_check.h).
#include "allocator/heap_check.h"
#include "allocator/heap_sweep.h"
#include "allocator/interpose/export.h"

extern "C" {

MALLOCSPY_DOOR int mallocspy_check_heap() { return mallocspy::SweepHeap(MALLOCSPY_DOOR_FRAME()); }

}  // extern "C"
