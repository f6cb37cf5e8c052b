// One rule that says which leaks are known and accepted, and up to which amount or day.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

struct FramePattern {
  enum class Kind { kAnyFrames, kFunction, kModule, kSource };
  Kind kind = Kind::kAnyFrames;
  std::string glob;  // empty for kAnyFrames
};

struct Suppression {
  std::string name;
  std::string file;
  int line = 0;                      // where it begins
  std::string text_pattern;          // LeakSanitizer's; empty: `frames` decide
  std::vector<FramePattern> frames;  // Valgrind's: the innermost frames
  std::vector<LeakClass> classes;    // empty: all
  std::optional<uint64_t> max_blocks;
  std::optional<uint64_t> max_bytes;
  std::optional<absl::CivilDay> expires;  // the last day (UTC) on which it applies
  std::string reason;
  bool built_in = false;
};

// Whether class and stack of `leak` are what `suppression` describes. Ceiling and expiry are not looked at. A leak of
// unknown class counts as definite: the worst that it can be.
//
// Function patterns match as Valgrind's do, on names as the linker knows them, and on those that reports show, with or
// without parameters. Valgrind's stacks begin in the allocation function itself (fun:malloc) and ours at its caller;
// patterns for either are understood.
bool Matches(const Suppression& suppression, const Leak& leak);

// The whole of `text` against a pattern with * and ?.
bool GlobMatches(absl::string_view glob, absl::string_view text);

// LeakSanitizer's way: any part of `text`, with *, unless ^ and $ tie it to its ends.
bool TextPatternMatches(absl::string_view pattern, absl::string_view text);

}  // namespace mallocspy
