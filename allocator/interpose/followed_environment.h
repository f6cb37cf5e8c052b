// The environment of a program that this one starts: with what makes it record itself, also where this one composed an
// environment of its own that leaves that out. The new program takes such additions out of its environment again as it starts, so
// that it sees the one that it was given.
#pragma once

#include <cstddef>

namespace mallocspy {

// Remembers how this program came to be recorded. Once, from the constructor, before the environment is cleaned.
void RememberFollowing();

// Whether additions were made to this program's environment that it must not see.
bool WasFollowedByAddition();

class FollowedEnvironment {
 public:
  // Bytes of memory that the constructor needs; the doors take them from the stack, since exec must work in a vfork child
  // and in a signal handler.
  static size_t BytesFor(char* const* environment);
  FollowedEnvironment(char* const* environment, void* memory);

  char* const* entries() const { return entries_; }

 private:
  char* const* entries_;
};

// Takes our own variables, and ourselves out of LD_PRELOAD, in place.
void CleanEnvironment(char** environment);

}  // namespace mallocspy
