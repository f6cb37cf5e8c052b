// Where a stack's blocks come from, in a few words: its innermost function that is none of the libraries of C and C++, with its place.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/reader/snapshot.h"
#include "tools/verdict/frame_namer.h"

namespace mallocspy {

class MakingFunctions {
 public:
  MakingFunctions(const Snapshot& snapshot, FrameNamer* namer) : snapshot_(snapshot), namer_(*namer) {}

  // "(unknown)" if no function is known. Each stack is looked up once, when it is first asked for.
  const std::string& Of(uint32_t stack);

 private:
  std::string Find(uint32_t stack) const;

  const Snapshot& snapshot_;
  FrameNamer& namer_;
  std::vector<std::string> names_;  // by stack; empty: not yet looked up
};

}  // namespace mallocspy
