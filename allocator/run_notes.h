// Notes about processes that have no record in the directory of `mallocspy run`, so that it can tell of them. A note is
// a link whose name says which process it is about:
//
//   PID.forked     -> fork     a forked child; it has no record before its first event
//   PID.spawned    -> PROGRAM  a child that runs PROGRAM and had no record before: one of vfork or posix_spawn, or a
//                              forked one without an event
//   PID.elsewhere  -> PROGRAM  it became PROGRAM, which another `mallocspy run` records
//   PID.unrecorded -> REASON   its record could not be made
//
// `run` looks at those of processes without a record. A link is one system call and needs no lock, so that it can be
// made in a vfork child and in a signal handler. Without `run`, or with follow=none, children are not noted.
#pragma once

#include <cstdint>

namespace mallocspy {

// After a fork, in the parent.
void NoteFork(uint32_t child);

// After posix_spawn: `child` runs `program` with `environment`.
void NoteSpawned(uint32_t child, const char* program, char* const* environment);

// Before an exec; ForgetReplaced takes it back when that failed.
void NoteReplaced(const char* program, char* const* environment);
void ForgetReplaced(char* const* environment);

// This process cannot make its record because of `reason`.
void NoteUnrecorded(const char* reason);

}  // namespace mallocspy
