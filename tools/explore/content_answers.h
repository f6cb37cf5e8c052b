// What is in a block, of a dump that has contents.
#pragma once

#include "absl/status/status.h"
#include "tools/explore/explored_heap.h"
#include "tools/explore/question.h"

namespace mallocspy {

// Adds the block's bytes to an answer, as many rows of 16 as the question asks for, and the words that point out of the heap; or says how a dump
// comes to have them.
absl::Status AddContents(const Question& question, uint32_t block, ExploredHeap* heap, Answer* answer);

}  // namespace mallocspy
