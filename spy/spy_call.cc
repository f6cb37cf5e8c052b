#include "spy/spy_call.h"

#include <string.h>

#include <cstdint>

namespace mallocspy {

const SpyCall::Complaints SpyCall::kAllocComplaints = {
    .too_few_bytes = "PreAlloc returned fewer bytes than asked",
    .outside = "PostAlloc returned a pointer outside its block",
    .too_short = "PostAlloc returned a pointer with fewer bytes behind it than asked",
    .misaligned = "PostAlloc returned a pointer that breaks the alignment of 16 bytes",
    .pointer_for_null = "PostAlloc returned a pointer where there is no block",
    .null_for_block = nullptr,  // it may withhold a block
};

const SpyCall::Complaints SpyCall::kReallocComplaints = {
    .too_few_bytes = "PreRealloc returned fewer bytes than asked",
    .outside = "PostRealloc returned a pointer outside its block",
    .too_short = "PostRealloc returned a pointer with fewer bytes behind it than asked",
    .misaligned = "PostRealloc returned a pointer that breaks the alignment of 16 bytes",
    .pointer_for_null = "PostRealloc returned a pointer where there is no block",
    .null_for_block = "PostRealloc returned NULL for a block that was resized",
};

// ---- Pointers on their way down ----

// The program's pointer to a moved block is the outermost alias. Its other aliases and its start mean no block to the
// program; they were never handed out.
SpyCall::Place SpyCall::Resolve(void* pointer) const {
  if (pointer == nullptr) return {nullptr, nullptr};
  if (const AliasTable::Entry* entry = chain_.aliases_.Find(pointer)) {
    return {pointer, chain_.aliases_.Outermost(entry->block) == entry ? entry->block : nullptr};
  }
  return {pointer, heap_.IsLive(pointer) ? pointer : nullptr};
}

void SpyCall::StartWith(const Place& place) {
  roster_ = chain_.registry_.Roster(request_.door, place.block == nullptr ? SpiedBy{0} : heap_.SpiedSet(place.block));
}

BOOL SpyCall::IsSpied(const Place& place, int level) const {
  if (place.block == nullptr) return FALSE;
  return (heap_.SpiedSet(place.block) & roster_.Bit(level)) != 0 ? TRUE : FALSE;
}

SpiedBy SpyCall::BitsDownTo(int level) const {
  SpiedBy bits = 0;
  for (int i = 0; i <= level; ++i) bits = static_cast<SpiedBy>(bits | roster_.Bit(i));
  return bits;
}

SpyCall::Place SpyCall::Below(int level, const Place& place, void* answer, const char* complaint) {
  if (place.block == nullptr && answer == place.pointer) return place;
  // Aliases that this spy or one outside of it made mean nothing below.
  const SpiedBy bits_above = BitsDownTo(level);
  auto means_nothing_below = [bits_above](const AliasTable::Entry* alias) {
    return ((bits_above >> alias->slot) & 1) != 0;
  };
  if (answer != nullptr) {
    const AliasTable::Entry* entry = chain_.aliases_.Find(answer);
    if (entry != nullptr && (entry->slot == AliasTable::kStart || !means_nothing_below(entry))) {
      return {answer, entry->block};
    }
    if (entry == nullptr && heap_.IsLive(answer)) return {answer, answer};
  }
  // The program's own error is the heap's to judge, by the pointer that the program gave.
  if (place.block == nullptr) return place;
  Breach(complaint, place.block, 0);
  for (const AliasTable::Entry* alias = chain_.aliases_.Outermost(place.block); alias != nullptr;
       alias = chain_.aliases_.Inwards(alias)) {
    if (!means_nothing_below(alias)) return {const_cast<void*>(alias->key), place.block};
  }
  return {place.block, place.block};
}

// For the spy and those outside of it the block is freed, for those inside it is as it was.
void SpyCall::TakeOver(const TakenOver& taken) {
  if (taken.block == nullptr) return;
  const SpiedBy leaving = BitsDownTo(taken.level);
  while (const AliasTable::Entry* alias = chain_.aliases_.Outermost(taken.block)) {
    if (((leaving >> alias->slot) & 1) == 0) break;
    chain_.aliases_.RemoveOutermost(taken.block);
  }
  const SpiedBy spies = heap_.SpiedSet(taken.block);
  if ((spies & leaving) == 0) return;
  chain_.registry_.BlockWent(spies & leaving);
  heap_.SetSpiedSet(taken.block, static_cast<SpiedBy>(spies & ~leaving));
}

// ---- Sizes and pointers on their way up ----

void SpyCall::Breach(const char* what, const void* block, size_t bytes) const {
  heap_.ReportContractBreach(what, block, bytes, request_.door);
}

size_t SpyCall::CheckedSize(int level, size_t answer, const Complaints& complaints) {
  if (answer >= asked_[level]) return answer;
  Breach(complaints.too_few_bytes, nullptr, asked_[level]);
  return asked_[level];
}

bool SpyCall::Accepts(int level, void* actual, void* answer, const Complaints& complaints, bool may_withhold) const {
  if (answer == actual) return true;
  const size_t asked = asked_[level];
  if (actual == nullptr) {
    Breach(complaints.pointer_for_null, answer, asked);
    return false;
  }
  if (answer == nullptr) {
    if (!may_withhold) Breach(complaints.null_for_block, actual, asked);
    return may_withhold;
  }
  // Behind `actual` are all the bytes that the spy had asked for. The end itself is inside for a request of 0 bytes, of
  // which nothing is used: a spy that puts data in front of every block has no other answer.
  const uintptr_t shift = reinterpret_cast<uintptr_t>(answer) - reinterpret_cast<uintptr_t>(actual);
  const size_t bytes = asked_[level + 1];
  if (shift > bytes || (shift == bytes && asked != 0)) {
    Breach(complaints.outside, actual, asked);
    return false;
  }
  if (bytes - shift < asked) {
    Breach(complaints.too_short, actual, asked);
    return false;
  }
  if (request_.door == Door::kTask) return true;
  if ((reinterpret_cast<uintptr_t>(answer) & (kMinAlignment - 1)) != 0) {
    Breach(complaints.misaligned, actual, asked);
    return false;
  }
  // The hooks do not tell a spy of a wider alignment, so it is not to blame; the program needs it all the same.
  return (reinterpret_cast<uintptr_t>(answer) & (request_.alignment - 1)) == 0;
}

void SpyCall::MoveContents(int level, void* actual, const void* answer) const {
  const size_t bytes = asked_[level + 1];
  // A pointer into the block says where the spy has the contents, even if it cannot be handed out.
  size_t shift = reinterpret_cast<uintptr_t>(answer) - reinterpret_cast<uintptr_t>(actual);
  if (shift > bytes) shift = shift_before_[level];
  if (shift == 0 || shift > bytes) return;
  const size_t behind = bytes - shift;
  memmove(actual, static_cast<char*>(actual) + shift, behind < asked_[level] ? behind : asked_[level]);
}

void* SpyCall::HandOut(void* block, bool is_realloc, bool may_withhold) {
  const Complaints& complaints = is_realloc ? kReallocComplaints : kAllocComplaints;
  void* pointers[kMaxSpies + 1];
  pointers[entered_] = block;
  SpiedBy accepted = 0;
  for (int i = entered_ - 1; i >= 0; --i) {
    void* actual = pointers[i + 1];
    void* answer = is_realloc ? roster_.spy[i]->PostRealloc(actual, spied_[i]) : roster_.spy[i]->PostAlloc(actual);
    if (Accepts(i, actual, answer, complaints, may_withhold)) {
      pointers[i] = answer;
      accepted = static_cast<SpiedBy>(accepted | roster_.Bit(i));
    } else {
      pointers[i] = actual;
      if (is_realloc && actual != nullptr) MoveContents(i, actual, answer);
    }
  }
  // Withheld: the block lives on, for the spies that may know it.
  if (pointers[0] == nullptr) return nullptr;
  // A resized block of another allocator: nothing can be remembered about it.
  if (!heap_.IsLive(block)) {
    if (is_realloc && pointers[0] != block) memmove(block, pointers[0], asked_[0]);
    return block;
  }
  for (int i = entered_ - 1; i >= 0; --i) {
    if (pointers[i] != pointers[i + 1]) chain_.aliases_.Add(block, pointers[i], roster_.slot[i]);
  }
  const SpiedBy before = heap_.SpiedSet(block);
  const SpiedBy asked = entered_ == 0 ? SpiedBy{0} : BitsDownTo(entered_ - 1);
  const SpiedBy now = static_cast<SpiedBy>((before & ~asked) | accepted);
  if (now != before) {
    chain_.registry_.BlockCame(static_cast<SpiedBy>(now & ~before));
    chain_.registry_.BlockWent(static_cast<SpiedBy>(before & ~now));
    heap_.SetSpiedSet(block, now);
  }
  return pointers[0];
}

// ---- The operations ----

// A spy that refuses ends the way down. To those outside of it this is a heap without memory: they get NULL.
void* SpyCall::Allocate(size_t bytes) {
  if (!chain_.aliases_.Reserve(kMaxSpies)) return nullptr;
  StartWith({nullptr, nullptr});
  asked_[0] = bytes;
  while (entered_ < roster_.count) {
    const size_t answer = roster_.spy[entered_]->PreAlloc(asked_[entered_]);
    if (asked_[entered_] != 0 && answer == 0) return HandOut(nullptr, /*is_realloc=*/false, /*may_withhold=*/true);
    asked_[entered_ + 1] = CheckedSize(entered_, answer, kAllocComplaints);
    ++entered_;
  }
  void* block = heap_.Allocate(asked_[entered_], request_);
  void* pointer = HandOut(block, /*is_realloc=*/false, /*may_withhold=*/true);
  if (request_.zeroed && pointer != nullptr) memset(pointer, 0, bytes);
  return pointer;
}

void* SpyCall::Reallocate(void* pointer, size_t bytes) {
  const bool frees = pointer != nullptr && bytes == 0;
  if (!frees && !chain_.aliases_.Reserve(kMaxSpies)) return nullptr;
  Place place = Resolve(pointer);
  StartWith(place);
  const Place given = place;
  TakenOver taken[kMaxSpies];
  int taken_count = 0;
  asked_[0] = bytes;
  while (entered_ < roster_.count) {
    const int level = entered_;
    // NULL asks for a new block, which will be the spy's.
    spied_[level] = place.pointer == nullptr ? TRUE : IsSpied(place, level);
    void* answer = place.pointer;
    const size_t size = roster_.spy[level]->PreRealloc(place.pointer, asked_[level], &answer, spied_[level]);
    if (asked_[level] != 0 && size == 0) return HandOut(nullptr, /*is_realloc=*/true, /*may_withhold=*/true);
    asked_[level + 1] = frees ? 0 : CheckedSize(level, size, kReallocComplaints);
    ++entered_;
    const Place below = answer == nullptr
                            ? Place{nullptr, nullptr}
                            : Below(level, place, answer, "PreRealloc stored a pointer that is no live block");
    if (below.block != place.block) {
      taken[taken_count++] = {place.block, level};
    } else if (place.block != nullptr) {
      shift_before_[level] = reinterpret_cast<uintptr_t>(place.pointer) - reinterpret_cast<uintptr_t>(below.pointer);
    }
    place = below;
    if (frees && place.pointer == nullptr) break;
  }

  if (frees) {
    for (int i = 0; i < taken_count; ++i) TakeOver(taken[i]);
    if (place.pointer != nullptr) Free(place, given);
    return HandOut(nullptr, /*is_realloc=*/true, /*may_withhold=*/true);
  }
  void* target = place.block != nullptr ? place.block : place.pointer;
  void* block = target == nullptr ? heap_.Allocate(asked_[entered_], request_)
                                  : heap_.Reallocate(target, asked_[entered_], request_);
  if (block != nullptr) {
    for (int i = 0; i < taken_count; ++i) TakeOver(taken[i]);
    // The old start may be gone; here it is a key only. The aliases of the new block are remembered anew.
    if (target != nullptr) chain_.aliases_.RemoveAll(target);
  }
  return HandOut(block, /*is_realloc=*/true, /*may_withhold=*/pointer == nullptr);
}

void SpyCall::Free(const Place& place, const Place& given) {
  void* block = place.block != nullptr ? place.block : place.pointer;
  chain_.Forget(heap_, block);
  Request request = request_;
  if (place.block != given.block) request.door = Door::kNone;
  heap_.Deallocate(block, request);
}

void SpyCall::Deallocate(void* pointer) {
  Place place = Resolve(pointer);
  StartWith(place);
  const Place given = place;
  while (entered_ < roster_.count && place.pointer != nullptr) {
    const int level = entered_;
    spied_[level] = IsSpied(place, level);
    void* answer = roster_.spy[level]->PreFree(place.pointer, spied_[level]);
    ++entered_;
    const Place below = answer == nullptr
                            ? Place{nullptr, nullptr}
                            : Below(level, place, answer, "PreFree returned a pointer that is no live block");
    if (below.block != place.block) TakeOver({place.block, level});
    place = below;
  }
  if (place.pointer != nullptr) Free(place, given);
  while (entered_ > 0) {
    --entered_;
    roster_.spy[entered_]->PostFree(spied_[entered_]);
  }
}

size_t SpyCall::SizeOf(void* pointer) {
  Place place = Resolve(pointer);
  StartWith(place);
  for (; entered_ < roster_.count; ++entered_) {
    spied_[entered_] = IsSpied(place, entered_);
    void* answer = roster_.spy[entered_]->PreGetSize(place.pointer, spied_[entered_]);
    place = Below(entered_, place, answer, "PreGetSize returned a pointer that is no live block");
  }
  size_t bytes = place.block == nullptr ? static_cast<size_t>(-1) : heap_.SizeOf(place.block);
  while (entered_ > 0) {
    --entered_;
    bytes = roster_.spy[entered_]->PostGetSize(bytes, spied_[entered_]);
  }
  return bytes;
}

int SpyCall::DidAlloc(void* pointer) {
  Place place = Resolve(pointer);
  StartWith(place);
  void* requested[kMaxSpies];
  for (; entered_ < roster_.count; ++entered_) {
    requested[entered_] = place.pointer;
    spied_[entered_] = IsSpied(place, entered_);
    void* answer = roster_.spy[entered_]->PreDidAlloc(place.pointer, spied_[entered_]);
    place = Below(entered_, place, answer, "PreDidAlloc returned a pointer that is no live block");
  }
  int result = place.block == nullptr ? 0 : 1;
  while (entered_ > 0) {
    --entered_;
    result = roster_.spy[entered_]->PostDidAlloc(requested[entered_], spied_[entered_], result);
  }
  return result;
}

void SpyCall::Minimize() {
  StartWith({nullptr, nullptr});
  for (int i = 0; i < roster_.count; ++i) roster_.spy[i]->PreHeapMinimize();
  heap_.Minimize();
  for (int i = roster_.count - 1; i >= 0; --i) roster_.spy[i]->PostHeapMinimize();
}

}  // namespace mallocspy
