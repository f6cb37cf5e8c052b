/* Leak checks at any time, and what the program can say about its own blocks. For C and C++.
 *
 * A check looks at the whole process: all threads are held still for a moment (a signal, no ptrace), a copy of the process is made, and
 * in the copy everything is searched that can hold a pointer. The program goes on meanwhile. A block is then
 *
 *   definite    lost: nothing leads to it
 *   indirect    lost: only lost blocks lead to it
 *   possible    only pointers to its inside lead to it
 *   reachable   held
 *
 *   mallocspy::LeakScope scope;               // C: uint64_t since = mallocspy_mark();
 *   Serve(request);
 *   mallocspy_leaks leaks = scope.Check();    // C: mallocspy_check_leaks(since, &leaks);
 *   if (leaks.error == 0 && leaks.definite.blocks != 0) scope.Report();   // C: mallocspy_report_leaks(since, NULL, 2);
 *
 * A program that is not linked with the library can still use all of it, with a declaration of its own and
 * __attribute__((weak)): where mallocspy is not preloaded the functions are null.
 *
 * All functions: any thread; not from a signal handler, and not from a spy's method. They keep errno.
 */
#ifndef MALLOCSPY_ALLOCATOR_LEAK_CHECK_H_
#define MALLOCSPY_ALLOCATOR_LEAK_CHECK_H_

#include <stddef.h>
#include <stdint.h>

#ifndef MALLOCSPY_API
#define MALLOCSPY_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mallocspy_leak_count {
  size_t blocks;
  size_t bytes; /* requested */
} mallocspy_leak_count;

typedef struct mallocspy_leaks {
  mallocspy_leak_count definite;
  mallocspy_leak_count indirect;
  mallocspy_leak_count possible;
  mallocspy_leak_count reachable; /* without the blocks that the program ignores */
  uint32_t unanswered;            /* threads that did not stop in time: their registers were not looked at, so more may be held */
  uint32_t pause_us;              /* how long the other threads stood still, microseconds */
  int error;                      /* 0, or why nothing was checked: an errno value, see mallocspy_check_leaks() */
} mallocspy_leaks;

/* Begins a new mark and returns its number, which is above 0: blocks made or resized from now on carry it. 0 if the process has no
 * record. */
MALLOCSPY_API uint64_t mallocspy_mark(void);

/* Counts the live blocks made since mark `since` (0: all of this process) by class. Takes milliseconds, more with a large heap.
 * Returns 0 and fills `found`, or an errno value, also in found->error:
 *   ENODATA   the process has no record: a vfork child, or after its end
 *   ENOSYS    malloc is not ours: the program has one of its own, and what it makes is not recorded
 *   EDEADLK   called from inside of an allocation
 *   EAGAIN    threads could not be signalled or the process not copied (a limit, a seccomp filter) */
MALLOCSPY_API int mallocspy_check_leaks(uint64_t since, mallocspy_leaks* found);

/* The same check, reported by `mallocspy report ARGUMENT...`, whose output goes to the descriptor `output` (2: standard error). Among
 * the arguments, up to a NULL (null: none), can be all that the command knows: {"--format=json", NULL}, {"--suppressions=FILE", NULL}.
 * Returns the command's exit status: 0 no leaks, 23 leaks, 25 the check is incomplete; or a negated errno value: as above, and
 *   -ENOENT   the command was not found beside the library, and MALLOCSPY_TOOL does not name it
 *   -ECHILD   the command ran, but the program ignores SIGCHLD, so its status is not known
 *   others    what the kernel refused: a descriptor, memory, a new process */
MALLOCSPY_API int mallocspy_report_leaks(uint64_t since, const char* const* arguments, int output);

/* The same for whoever calls them on somebody else's behalf, as a test runner does: of the calling thread's stack only what lies above
 * `stack`, an address on it, can hold a block. Take __builtin_frame_address(0) of the function that begins the check: what its own calls
 * left uninitialized may be what the tested code left there. Null: all of the stack. */
MALLOCSPY_API int mallocspy_check_leaks_above(const void* stack, uint64_t since, mallocspy_leaks* found);
MALLOCSPY_API int mallocspy_report_leaks_above(const void* stack, uint64_t since, const char* const* arguments, int output);

/* The block at `block`, or around it, and all that only it leads to, is no leak: as a cache that is kept to the end. Returns 1, or 0 for what is no live block. */
MALLOCSPY_API int mallocspy_ignore(const void* block);

/* Ignores all blocks that this thread makes from begin to end; both nest. */
MALLOCSPY_API void mallocspy_ignore_begin(void);
MALLOCSPY_API void mallocspy_ignore_end(void);

/* Memory in which pointers are looked for, though it would not be: a read-only or shared mapping, a block of another allocator. Returns
 * 0, or ENOMEM; the other one 0, or ENOENT for what was not registered with the same values. */
MALLOCSPY_API int mallocspy_add_root(const void* start, size_t bytes);
MALLOCSPY_API int mallocspy_remove_root(const void* start, size_t bytes);

#ifdef __cplusplus
} /* extern "C" */

namespace mallocspy {

/* Of the whole process; see mallocspy_check_leaks(). */
inline mallocspy_leaks CheckLeaks(uint64_t since = 0) {
  mallocspy_leaks found;
  mallocspy_check_leaks(since, &found);
  return found;
}

/* The blocks made since its construction. */
class LeakScope {
 public:
  LeakScope() : since_(mallocspy_mark()) {}
  LeakScope(const LeakScope&) = delete;
  LeakScope& operator=(const LeakScope&) = delete;

  mallocspy_leaks Check() const { return CheckLeaks(since_); }
  /* See mallocspy_report_leaks(). */
  int Report(int output = 2) const { return mallocspy_report_leaks(since_, nullptr, output); }
  uint64_t since() const { return since_; }

 private:
  uint64_t since_;
};

/* What this thread allocates while it lives is no leak. */
class IgnoreScope {
 public:
  IgnoreScope() { mallocspy_ignore_begin(); }
  ~IgnoreScope() { mallocspy_ignore_end(); }
  IgnoreScope(const IgnoreScope&) = delete;
  IgnoreScope& operator=(const IgnoreScope&) = delete;
};

} /* namespace mallocspy */
#endif

#endif
