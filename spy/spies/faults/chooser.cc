#include "spy/spies/faults/chooser.h"

#include "spy/spies/line.h"
#include "spy/spies/system.h"

namespace mallocspy::spies::faults {
namespace {

constexpr uint64_t kFnvOffset = 0xcbf29ce484222325;
constexpr uint64_t kFnvPrime = 0x100000001b3;

// Fowler, Noll and Vo's hash, variant 1a.
uint64_t Hash(uint64_t hash, const void* data, size_t bytes) {
  const auto* text = static_cast<const unsigned char*>(data);
  for (size_t i = 0; i < bytes; ++i) hash = (hash ^ text[i]) * kFnvPrime;
  return hash;
}

// The number that stands at `index` in the sequence that `seed` begins (SplitMix64).
uint64_t RandomAt(uint64_t seed, uint64_t index) {
  uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

uint64_t KeyOf(const mallocspy_frame* frames, size_t count) {
  uint64_t key = kFnvOffset;
  for (size_t i = 0; i < count; ++i) {
    key = Hash(key, frames[i].module, frames[i].module_bytes);
    key = Hash(key, &frames[i].offset, sizeof(frames[i].offset));
  }
  return key != 0 ? key : 1;
}

bool Chooser::Start(const Settings& settings) {
  settings_ = settings;
  filter_.Start(&settings_);
  return settings_.stacks_in[0] == '\0' || keys_.Read(settings_.stacks_in);
}

bool Chooser::Fails(const Asked& asked) {
  if (asked.bytes == 0) return false;  // a request of nothing cannot be refused
  if (asked.bytes <= settings_.above && settings_.above != 0) return false;
  if (asked.mark < settings_.after_mark) return false;
  Stack* stack = StackOf(asked);
  if (stack == nullptr || !stack->passes) return false;
  const bool first_of_stack = !stack->was_candidate;
  stack->was_candidate = true;
  if (first_of_stack && settings_.list[0] != '\0') List(*stack, asked);
  if (!IsChosen(first_of_stack) || failures_ >= settings_.limit) return false;
  ++failures_;
  return true;
}

Chooser::Stack* Chooser::StackOf(const Asked& asked) {
  if (!KnowsStack(asked.stack)) {
    if (!stacks_.Reach(size_t{asked.stack} + 1)) return nullptr;
    Stack& stack = stacks_[asked.stack];
    stack.known = true;
    stack.key = KeyOf(asked.frames, asked.frame_count);
    stack.passes = (settings_.stack == 0 || settings_.stack == stack.key) && (settings_.stacks_in[0] == '\0' || keys_.Has(stack.key)) &&
                   filter_.Passes(asked.frames, asked.frame_count);
  }
  return &stacks_[asked.stack];
}

bool Chooser::IsChosen(bool first_of_stack) {
  const uint64_t number = ++candidates_;
  const bool by_count = settings_.nth != 0 || settings_.every != 0 || settings_.random;
  if (settings_.list[0] != '\0' && !by_count && !settings_.first_of_each_stack) return false;
  if ((settings_.first_of_each_stack || settings_.stack != 0 || settings_.fork[0] != '\0') && !first_of_stack) return false;
  if (!by_count) return true;
  if (number == settings_.nth) return true;
  if (settings_.every != 0 && number % settings_.every == 0) return true;
  return settings_.random && RandomAt(settings_.seed, number) >> 11 < settings_.probability;
}

void Chooser::List(const Stack& stack, const Asked& asked) const {
  Line line;
  line.Key(stack.key).Char(' ').Number(asked.stack).Char(' ').Number(asked.bytes).End();
  system::Append(settings_.list, line.data(), line.size());
}

}  // namespace mallocspy::spies::faults
