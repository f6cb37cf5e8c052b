// The options of the library: one table makes the fields, the defaults, the parser and the help.
#pragma once

#include <cstddef>
#include <cstdint>

// X(kind, name, default, help). Kinds: Flag (0|1), Number (unsigned decimal), Word (one of `words`), Text.
//   Flag(name, default, help)   Number(name, default, lowest, highest, help)
//   Word(name, default, words, help)   Text(name, default, help)
//   Measure(name, default, lowest, highest, units, help): a number with a unit behind it, see ReadMeasure() in options.cc.
#define MALLOCSPY_OPTIONS_TABLE(Flag, Number, Word, Text, Measure)                                                              \
  Word(report, "auto", "auto|none",                                                                                    \
       "what a preloaded or linked library does by itself at the end: print a report, or nothing")                     \
  Word(follow, "all", "all|none", "record forked and exec'ed programs too, each for itself, or only this one")         \
  Word(record, "all", "all|task", "record every door, or only the task allocator and leave malloc and new alone")      \
  Word(hook_malloc, "auto", "auto|0|1",                                                                                \
       "whether spies see malloc and new: 1 all, 0 none, auto those loaded with --spy")                                \
  Flag(guard, 1, "put a guard behind every block and check it when the block is freed and at the end")                 \
  Number(check_every, 0, 0, 1000000000,                                                                                \
         "look at every block at each N-th allocation or free of the process; 0: never")                               \
  Flag(fill, 0, "fill new memory with 0xcd (not calloc's) and freed memory with 0xdf, so that who reads it is seen")     \
  Number(quarantine_mb, 0, 0, 1048576,                                                                                 \
         "MiB of freed blocks that are kept: what is written into them is found when they leave, and at the end")       \
  Number(page_guard, 0, 0, 1000000000,                                                                                 \
         "put one of N blocks, at random, beside an inaccessible page, and take its memory away when it is freed: accesses past it and " \
         "after its free are met at the instruction; 1: all blocks, 0: none")                                            \
  Number(page_guard_percent, 1, 1, 100,                                                                                \
         "percent of a thread's time, at most, that page_guard=N with N > 1 may take: it chooses fewer blocks then; 100: no limit") \
  Word(page_guard_side, "behind", "behind|before", "on which side of a block that page is")                            \
  Number(page_guard_min_bytes, 0, 0, 70368744177664, "the smallest blocks to which page_guard applies")                 \
  Number(page_guard_max_bytes, 70368744177664, 0, 70368744177664, "the largest blocks to which page_guard applies")     \
  Text(page_guard_within, "", "the module (program or library) that must be in the stack of a block to which page_guard applies") \
  Number(max_bytes, 0, 0, 4611686018427387904,                                                                                  \
         "requested bytes that may be live at once: an allocation beyond fails; 0: no limit")                          \
  Number(max_blocks, 0, 0, 4611686018427387904, "blocks that may be live at once, likewise")                                    \
  Word(on_error, "continue", "continue|abort|stop",                                                                    \
       "what a heap error that is met while the program runs leads to: nothing, abort(), or a wait for a debugger")    \
  Number(stack_depth, 512, 1, 4096, "frames recorded of a stack, at most; longer ones lose their outer end")           \
  Number(check_capture, 0, 0, 1000000000,                                                                              \
         "take every N-th stack again with libunwind and abort with both if they differ; 0: never")                   \
  Number(stop_signal, 0, 0, 64,                                                                                        \
         "signal that holds the threads still while memory is copied to find leaks; 0: a real-time one that is unused") \
  Flag(ownership, 0, "count which module frees what which module made, for `mallocspy report --ownership`")            \
  Measure(dump_at_bytes, 0, 0, 70368744177664, "bytes", "write a dump when so many bytes are live (2G), and again when they had fallen by a tenth") \
  Measure(dump_every, 0, 0, 31536000, "seconds", "write a dump at this interval (10m)")                                \
  Measure(dump_on_growth, 0, 0, 100000, "percent", "write a dump whenever this much more is live than at the last one (20%)") \
  Number(dump_signal, 0, 0, 64, "a signal that has the process write a dump, unless the program handles it itself; 0: none") \
  Text(dump_to, "mallocspy-%p-%n.mspy", "where these dumps go (%p: the process id, %n: their number, from 1)")         \
  Word(contents, "none", "none|pointers|full",                                                                         \
       "what these dumps have of the bytes in blocks: nothing, words that point to functions, variables and stacks, or all") \
  Number(dump_keep, 3, 1, 1000000, "how many of these dumps are kept: the newest")                                     \
  Text(keep, "", "write the snapshot to this file at the end (%p: the process id), without `mallocspy run`")

namespace mallocspy {

// Values live for the whole process. Text and words are views into the option string (not terminated).
struct OptionText {
  const char* data;
  size_t size;
  bool Is(const char* word) const;
};

struct Options {
#define MALLOCSPY_FLAG(name, value, help) bool name = value;
#define MALLOCSPY_NUMBER(name, value, low, high, help) uint64_t name = value;
#define MALLOCSPY_WORD(name, value, words, help) OptionText name{value, sizeof(value) - 1};
#define MALLOCSPY_TEXT(name, value, help) OptionText name{value, sizeof(value) - 1};
#define MALLOCSPY_MEASURE(name, value, low, high, units, help) uint64_t name = value;
  MALLOCSPY_OPTIONS_TABLE(MALLOCSPY_FLAG, MALLOCSPY_NUMBER, MALLOCSPY_WORD, MALLOCSPY_TEXT, MALLOCSPY_MEASURE)
#undef MALLOCSPY_FLAG
#undef MALLOCSPY_NUMBER
#undef MALLOCSPY_WORD
#undef MALLOCSPY_TEXT
#undef MALLOCSPY_MEASURE
};

// What is wrong with one `key=value` of an option string; views into it.
struct OptionProblem {
  OptionText item;    // the whole "key=value"
  const char* reason; // a sentence's end: "is not an option", "needs 0 or 1", ...
};

// Reads "key=value:key=value" into `options`, later ones winning. A bad item leaves its option as it was and is
// given to `on_problem` (may be null). `text` must outlive `options`. Any thread; allocates nothing.
void ParseOptions(const char* text, size_t size, Options* options,
                  void (*on_problem)(const OptionProblem& problem, void* context), void* context);

// One row of the table, for help and documents.
struct OptionHelp {
  const char* name;
  const char* value;   // the default, as text
  const char* choices; // "0|1", "1..4096", "auto|none", "text"
  const char* help;
};
const OptionHelp* OptionTable(size_t* count);

}  // namespace mallocspy
