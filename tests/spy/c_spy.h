/* Spies in C, in both ways that malloc_spy.h offers, and what they saw. */
#pragma once

#include "spy/malloc_spy.h"

#ifdef __cplusplus
extern "C" {
#endif

struct c_spy_counts {
  unsigned pre_alloc, post_alloc, pre_free, post_free, pre_realloc, post_realloc;
  unsigned pre_get_size, post_get_size, pre_did_alloc, post_did_alloc, pre_heap_minimize, post_heap_minimize;
  unsigned released, spied;
};

/* Hooks whose every function counts itself in its context, a c_spy_counts, and passes through. */
extern const struct mallocspy_hooks c_spy_counting_hooks;
/* Hooks that put 32 bytes in front of every block, with a context that they do not use. */
extern const struct mallocspy_hooks c_spy_shifting_hooks;

/* An IMallocSpy as C has it, a struct with a table. It counts in *counts. */
IMallocSpy* c_spy_object(struct c_spy_counts* counts);
unsigned c_spy_object_references(void);

/* Calls each slot of a C++ object's table through the C declaration, in the table's order. */
void c_spy_call_all(IMallocSpy* spy);

/* Sizes and values as a C compiler sees them. */
int c_spy_values_are_right(void);

#ifdef __cplusplus
}
#endif
