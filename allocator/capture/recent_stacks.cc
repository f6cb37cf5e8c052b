#include "allocator/capture/recent_stacks.h"

#include <cstring>

namespace mallocspy {

void RecentStacks::Keep(KnownStack* known, Door door, uint32_t stack) {
  const KnownStack::Evidence evidence = known->evidence();
  if (evidence.words > kMostWords || !evidence.lasting) return;
  const KnownFrame& innermost = known->frame(known->depth() - 1);
  const uint32_t place = PlaceOf(innermost.state, door);
  Entry& entry = entries_[place];
  entry.sp = innermost.state.sp;
  entry.pc = innermost.state.pc;
  entry.bp = innermost.state.bp;
  entry.bp_matters = innermost.bp_matters;
  entry.epoch = evidence.epoch;
  entry.stack = stack;
  entry.words = static_cast<uint16_t>(evidence.words);
  entry.door = door;
  std::memcpy(words_[place], evidence.list, evidence.words * sizeof(StackWord));
}

void RecentStacks::Forget() {
  for (Entry& entry : entries_) {
    if (entry.sp != 0) entry.sp = 0;
  }
}

}  // namespace mallocspy
