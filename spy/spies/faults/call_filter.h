// Which calls have chosen functions or modules on their stacks.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "spy/malloc_spy.h"
#include "spy/spies/faults/settings.h"
#include "spy/spies/growing_array.h"

namespace mallocspy::spies::faults {

// A name is that of a module ("libfoo", "libfoo.so", "libfoo.so.1", a program's name, or a path) or of a function (symbol_name.h). Functions
// are found in the symbol tables of the modules' files: where those are stripped, only what they export; one that was inlined is not on the stack.
class CallFilter {
 public:
  constexpr CallFilter() = default;

  // `settings` stays.
  void Start(const Settings* settings) { settings_ = settings; }

  bool Passes(const mallocspy_frame* frames, size_t count);

 private:
  // Code of a module, as its file numbers it, that has some of the names.
  struct Range {
    uint64_t low;
    uint64_t high;  // one past
    uint32_t names;
  };
  struct Module {
    const char* path;  // as in frames: one pointer for one module
    size_t first_range;
    size_t ranges;
    uint32_t names;  // of itself
  };

  const Module* ModuleOf(const mallocspy_frame& frame);
  uint32_t NamesOfModule(const mallocspy_frame& frame) const;
  void ReadFunctions(const char* path, Module* module);
  void ReadSymbols(const void* file, size_t bytes);

  const Settings* settings_ = nullptr;
  GrowingArray<Module> modules_;
  GrowingArray<Range> ranges_;
};

}  // namespace mallocspy::spies::faults
