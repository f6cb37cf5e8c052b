// One operation's way through the spies that it concerns, under the spy lock: the Pre methods from the outermost to
// the innermost, the heap, the Post methods back. Here are the contract's clauses 4.2 to 4.8 and 4.10.
//
// Level i is the side towards the program of the i-th spy that is called, level `count` the heap's:
//
//   program  level 0 [spy 0] level 1 [spy 1] level 2 = count  heap
//
// asked_[i] is what level i asks for; a pointer of level i means something to spy i and to what is inside of it.
#pragma once

#include <cstddef>

#include "spy/heap.h"
#include "spy/spy_chain.h"
#include "spy/spy_registry.h"

namespace mallocspy {

class SpyCall {
 public:
  // All under the chain's lock, within a stay.
  SpyCall(SpyChain& chain, Heap& heap, const Request& request) : chain_(chain), heap_(heap), request_(request) {}
  SpyCall(const SpyCall&) = delete;
  SpyCall& operator=(const SpyCall&) = delete;

  void* Allocate(size_t bytes);
  void* Reallocate(void* pointer, size_t bytes);
  void Deallocate(void* pointer);
  size_t SizeOf(void* pointer);
  int DidAlloc(void* pointer);
  void Minimize();

 private:
  // A pointer of some level, with the start of the live block that it means there, null if it means none.
  struct Place {
    void* pointer;
    void* block;
  };
  // A block that the program gave back but the spy at `level` exchanged for another or for none.
  struct TakenOver {
    void* block;
    int level;
  };
  // What went wrong, told with the method's name.
  struct Complaints {
    const char* too_few_bytes;
    const char* outside;
    const char* too_short;
    const char* misaligned;
    const char* pointer_for_null;
    const char* null_for_block;
  };
  static const Complaints kAllocComplaints;
  static const Complaints kReallocComplaints;

  Place Resolve(void* pointer) const;
  void StartWith(const Place& place);
  BOOL IsSpied(const Place& place, int level) const;
  SpiedBy BitsDownTo(int level) const;

  // The bytes that level + 1 asks for when the spy of `level` answered `answer`.
  size_t CheckedSize(int level, size_t answer, const Complaints& complaints);
  // What the `answer` of the Pre method of the spy at `level`, given `place`, means to level + 1.
  Place Below(int level, const Place& place, void* answer, const char* complaint);
  // Whether the `answer` that the Post method of the spy at `level` made of `actual` can go to that level. If not, it
  // gets `actual`, and the block is no spied one of that spy.
  bool Accepts(int level, void* actual, void* answer, const Complaints& complaints, bool may_withhold) const;
  // `answer` was not accepted: moves what the resized block holds for `level` to where it is looked for, to `actual`.
  void MoveContents(int level, void* actual, const void* answer) const;
  void TakeOver(const TakenOver& taken);
  // Frees the block that the way down ended at; `given` is what the program gave.
  void Free(const Place& place, const Place& given);
  // Passes a block (or null) through the Post methods to the program.
  void* HandOut(void* block, bool is_realloc, bool may_withhold);
  void Breach(const char* what, const void* block, size_t bytes) const;

  SpyChain& chain_;
  Heap& heap_;
  const Request& request_;
  SpyRoster roster_;
  int entered_ = 0;  // spies whose Pre method was called and did not refuse
  size_t asked_[kMaxSpies + 1] = {};
  BOOL spied_[kMaxSpies] = {};
  size_t shift_before_[kMaxSpies] = {};  // from the pointer of level i + 1 to that of level i before a resize
};

}  // namespace mallocspy
