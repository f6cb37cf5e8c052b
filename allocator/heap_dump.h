/* Dumps of the heap, and names for moments, from inside the program. For C and C++.
 *
 *   mallocspy_mark_as("after start");
 *   Serve();
 *   mallocspy_dump("served.mspy");     // `mallocspy explore served.mspy "blocks mark=after start"`
 *
 * A program that is not linked with the library can still use them, with a declaration of its own and __attribute__((weak)): where
 * mallocspy is not preloaded the functions are null. Any thread; not from a signal handler, and not from a spy's method. They keep errno.
 */
#ifndef MALLOCSPY_ALLOCATOR_HEAP_DUMP_H_
#define MALLOCSPY_ALLOCATOR_HEAP_DUMP_H_

#include <stdint.h>

#ifndef MALLOCSPY_API
#define MALLOCSPY_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Writes a snapshot of this process to `path`: stacks, live blocks, what points to what, and the classes of objects. The file is there
 * whole or not at all, readable by its owner only, and replaces an old one; %p in the path is the process id. The process stands still while
 * a copy of it is made, and the calling thread waits until that copy has written everything. Returns 0, or an errno value: of the file, or
 *   ENODATA   the process has no record: a vfork child, or after its end
 *   ENOSYS    malloc is not ours: what the program makes is not recorded
 *   EDEADLK   called from inside of an allocation
 *   EAGAIN    threads could not be signalled or the process not copied (a limit, a seccomp filter) */
MALLOCSPY_API int mallocspy_dump(const char* path);

/* mallocspy_mark() (leak_check.h), with a name that dumps tell. */
MALLOCSPY_API uint64_t mallocspy_mark_as(const char* name);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
