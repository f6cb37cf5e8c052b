/* A check of the whole heap at any time: is anything written over? For C and C++.
 *
 *   if (mallocspy_check_heap() > 0) puts("something writes where it must not");
 *
 * As _heapchk() elsewhere. Each block that is found damaged becomes a heap error of the report, once, with the stack of the check and the
 * stack where the block was made. The option check_every=N makes the same check at each N-th allocation or free.
 *
 * A program that is not linked with the library can still use it, with a declaration of its own and __attribute__((weak)): where mallocspy
 * is not preloaded the function is null.
 */
#ifndef MALLOCSPY_ALLOCATOR_HEAP_CHECK_H_
#define MALLOCSPY_ALLOCATOR_HEAP_CHECK_H_

#ifndef MALLOCSPY_API
#define MALLOCSPY_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum mallocspy_heap_status {
  MALLOCSPY_HEAP_UNKNOWN = -1, /* not looked at: no record (a vfork child, after the end), a call from inside of an allocation, or threads
                                  that did not come to rest within a second */
  MALLOCSPY_HEAP_OK = 0,
  MALLOCSPY_HEAP_BAD_FRONT = 1,          /* in front of a block was written */
  MALLOCSPY_HEAP_BAD_END = 2,            /* behind the end of a block was written */
  MALLOCSPY_HEAP_WRITTEN_AFTER_FREE = 3, /* a freed block was written; seen with quarantine_mb only */
};

/* A mallocspy_heap_status: of damaged blocks, the first one's, live ones before freed ones. Other threads wait where they allocate or free
 * meanwhile. Any thread; not from a signal handler, and not from a spy's method. Keeps errno. */
MALLOCSPY_API int mallocspy_check_heap(void);

#ifdef __cplusplus
}
#endif

#endif
