// Decides which allocations fail.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "spy/malloc_spy.h"
#include "spy/spies/faults/call_filter.h"
#include "spy/spies/faults/key_set.h"
#include "spy/spies/faults/settings.h"
#include "spy/spies/growing_array.h"

namespace mallocspy::spies::faults {

// A stack's name: the same in each run of the program, wherever its modules are loaded.
uint64_t KeyOf(const mallocspy_frame* frames, size_t count);

// One allocation that the program asks for. `stack` is its number in this process, 0 if it is not known; then it is in no function.
struct Asked {
  size_t bytes;
  uint64_t mark;
  uint32_t stack;
  const mallocspy_frame* frames;
  size_t frame_count;
};

// The same answers for the same settings and the same calls in the same order. For one thread at a time.
class Chooser {
 public:
  constexpr Chooser() = default;

  // False if a file that `settings` name cannot be used.
  bool Start(const Settings& settings);
  const Settings& settings() const { return settings_; }

  bool Fails(const Asked& asked);

  // Whether it needs a stack's frames, which it does the first time that it hears of the stack.
  bool KnowsStack(uint32_t stack) const { return stack < stacks_.size() && stacks_[stack].known; }
  // Of one that it knows.
  uint64_t KeyOfStack(uint32_t stack) const { return stacks_[stack].key; }

 private:
  struct Stack {
    uint64_t key;
    bool known;
    bool passes;  // the filters on stacks
    bool was_candidate;
  };

  // Null without memory.
  Stack* StackOf(const Asked& asked);
  bool IsChosen(bool first_of_stack);
  void List(const Stack& stack, const Asked& asked) const;

  Settings settings_;
  CallFilter filter_;
  KeySet keys_;
  GrowingArray<Stack> stacks_;  // by number
  uint64_t candidates_ = 0;
  uint64_t failures_ = 0;
};

}  // namespace mallocspy::spies::faults
