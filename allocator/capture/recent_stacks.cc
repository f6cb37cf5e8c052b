#include "allocator/capture/recent_stacks.h"

#include <cstring>

namespace mallocspy {

void RecentStacks::Keep(KnownStack* known, Door door, const RecordedStack& stack) {
  const KnownStack::Evidence evidence = known->evidence();
  if (evidence.words > kMostWords || !evidence.lasting) return;
  const KnownFrame& innermost = known->frame(known->depth() - 1);
  const uint32_t place = PlaceOf(innermost.state);
  Entry& entry = entries_[place];
  entry.sp = innermost.state.sp;
  entry.pc_and_door = PcAndDoor(innermost.state, door);
  entry.epoch = evidence.epoch;
  entry.bp = innermost.state.bp;
  entry.bp_mask = innermost.bp_matters ? UINTPTR_MAX : 0;
  entry.stack = stack;
  StackWord* words = words_[place];
  std::memcpy(words, evidence.list, evidence.words * sizeof(StackWord));
  entry.words = evidence.words;
  for (; entry.words % 4 != 0; ++entry.words) words[entry.words] = words[evidence.words - 1];
}

void RecentStacks::Forget() {
  for (Entry& entry : entries_) {
    if (entry.sp != 0) entry.sp = 0;
  }
}

}  // namespace mallocspy
