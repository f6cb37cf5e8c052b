#include "tools/verdict/suppression.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tools/verdict/public_name.h"

namespace mallocspy {
namespace {

// A wildcard sequence against a sequence: only the last wildcard ever needs to be tried again, so the time is at most
// the product of the lengths.
template <typename IsAny, typename IsEqual>
bool SequenceMatches(size_t patterns, size_t items, bool whole, IsAny is_any, IsEqual is_equal) {
  size_t pattern = 0, item = 0, retry_item = 0;
  std::optional<size_t> retry_pattern;
  for (;;) {
    if (pattern == patterns && (!whole || item == items)) return true;
    if (pattern < patterns && is_any(pattern)) {
      retry_pattern = ++pattern;
      retry_item = item;
    } else if (pattern < patterns && item < items && is_equal(pattern, item)) {
      ++pattern;
      ++item;
    } else if (retry_pattern.has_value() && retry_item < items) {
      pattern = *retry_pattern;
      item = ++retry_item;
    } else {
      return false;
    }
  }
}

// "ns::f" of "ns::f(int) const".
absl::string_view WithoutParameters(absl::string_view function) {
  absl::string_view rest = absl::StripSuffix(function, " const");
  if (!absl::EndsWith(rest, ")")) return function;
  int depth = 0;
  for (size_t i = rest.size(); i-- > 0;) {
    depth += rest[i] == ')' ? 1 : rest[i] == '(' ? -1 : 0;
    if (depth != 0) continue;
    rest = rest.substr(0, i);
    const bool is_name = rest.empty() || absl::EndsWith(rest, "::") || absl::EndsWith(rest, "operator");
    return is_name ? function : rest;
  }
  return function;
}

// "f" of "ns::Class::f".
absl::string_view Unqualified(absl::string_view function) {
  const size_t colons = function.rfind("::");
  return colons == absl::string_view::npos ? function : function.substr(colons + 2);
}

// Valgrind's word for what calls main().
constexpr absl::string_view kBelowMain = "(below main)";

bool IsBelowMain(const Frame& frame) {
  for (const absl::string_view name : {"_start", "__libc_start_main", "__libc_start_call_main"}) {
    if (frame.function == name) return true;
  }
  return frame.function.empty() && GlobMatches("*/libc.so*", frame.module);
}

bool FunctionMatches(absl::string_view glob, const Frame& frame) {
  if (glob == kBelowMain) return IsBelowMain(frame);
  if (frame.function.empty()) return GlobMatches(glob, "???");  // what Valgrind calls it
  glob = glob.substr(0, glob.find('@'));                        // pthread_create@@GLIBC_2.34
  // Valgrind takes another of the names of a function of libc.
  if (absl::string_view inner = frame.function;
      absl::ConsumePrefix(&inner, kInsideLibc) && (GlobMatches(glob, inner) || GlobMatches(glob, PublicName(inner)))) {
    return true;
  }
  const absl::string_view plain = WithoutParameters(frame.function);
  return (!frame.symbol.empty() && GlobMatches(glob, frame.symbol)) || GlobMatches(glob, frame.function) ||
         GlobMatches(glob, plain) ||
         // Of inlined functions Valgrind knows no more.
         (frame.inlined && GlobMatches(glob, Unqualified(plain)));
}

bool FrameMatches(const FramePattern& pattern, const Frame& frame) {
  switch (pattern.kind) {
    case FramePattern::Kind::kAnyFrames:
      return true;
    case FramePattern::Kind::kFunction:
      return FunctionMatches(pattern.glob, frame);
    case FramePattern::Kind::kModule:
      return GlobMatches(pattern.glob, frame.module);
    case FramePattern::Kind::kSource: {
      if (frame.file.empty()) return false;
      const absl::string_view base = absl::string_view(frame.file).substr(frame.file.rfind('/') + 1);
      for (const absl::string_view file : {absl::string_view(frame.file), base}) {
        if (GlobMatches(pattern.glob, file) || GlobMatches(pattern.glob, absl::StrCat(file, ":", frame.line))) {
          return true;
        }
      }
      return false;
    }
  }
  return false;
}

// The names under which Valgrind knows the functions behind a door.
std::vector<absl::string_view> AllocationFunctions(Door door) {
  switch (door) {
    case Door::kMalloc:
      return {"malloc", "calloc", "realloc", "reallocarray"};
    case Door::kAlignedMalloc:
      return {"memalign", "posix_memalign", "aligned_alloc", "valloc", "pvalloc"};
    case Door::kNew:
    case Door::kAlignedNew:
      return {"operator new",        "operator new(unsigned long)", "_Znwm",
              "_ZnwmRKSt9nothrow_t", "_ZnwmSt11align_val_t",        "_ZnwmSt11align_val_tRKSt9nothrow_t"};
    case Door::kNewArray:
    case Door::kAlignedNewArray:
      return {"operator new[]",      "operator new[](unsigned long)", "_Znam",
              "_ZnamRKSt9nothrow_t", "_ZnamSt11align_val_t",          "_ZnamSt11align_val_tRKSt9nothrow_t"};
    case Door::kNone:
    case Door::kTask:
      break;
  }
  return {};
}

// Whether the pattern is for the frame that Valgrind's stacks have and ours lack.
bool IsAllocationFrame(const FramePattern& pattern, Door door) {
  switch (pattern.kind) {
    case FramePattern::Kind::kAnyFrames:
      return true;
    case FramePattern::Kind::kFunction: {
      if (pattern.glob == "*") return true;
      const std::vector<absl::string_view> names = AllocationFunctions(door);
      return std::any_of(names.begin(), names.end(),
                         [&pattern](absl::string_view name) { return GlobMatches(pattern.glob, name); });
    }
    case FramePattern::Kind::kModule:
      return GlobMatches(pattern.glob, "/usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so");
    case FramePattern::Kind::kSource:
      return false;
  }
  return false;
}

// With `allocation_frame` as if that frame came first.
bool StackMatches(const Suppression& suppression, const Leak& leak, bool allocation_frame) {
  const std::vector<FramePattern>& patterns = suppression.frames;
  const size_t ahead = allocation_frame ? 1 : 0;
  return SequenceMatches(
      patterns.size(), leak.frames.size() + ahead, /*whole=*/false,
      [&](size_t i) { return patterns[i].kind == FramePattern::Kind::kAnyFrames; },
      [&](size_t i, size_t j) {
        return j < ahead ? IsAllocationFrame(patterns[i], leak.door)
                         : FrameMatches(patterns[i], leak.frames[j - ahead]);
      });
}

bool ClassMatches(const std::vector<LeakClass>& classes, LeakClass leak_class) {
  const LeakClass worst = leak_class == LeakClass::kUnknown ? LeakClass::kDefinite : leak_class;
  return classes.empty() || std::find(classes.begin(), classes.end(), worst) != classes.end();
}

}  // namespace

bool GlobMatches(absl::string_view glob, absl::string_view text) {
  return SequenceMatches(
      glob.size(), text.size(), /*whole=*/true, [&](size_t i) { return glob[i] == '*'; },
      [&](size_t i, size_t j) { return glob[i] == '?' || glob[i] == text[j]; });
}

bool TextPatternMatches(absl::string_view pattern, absl::string_view text) {
  if (text.empty()) return false;
  const bool at_start = absl::ConsumePrefix(&pattern, "^");
  const bool at_end = absl::ConsumeSuffix(&pattern, "$");
  const std::string whole = absl::StrCat(at_start ? "" : "*", pattern, at_end ? "" : "*");
  return SequenceMatches(
      whole.size(), text.size(), /*whole=*/true, [&](size_t i) { return whole[i] == '*'; },
      [&](size_t i, size_t j) { return whole[i] == text[j]; });
}

bool Matches(const Suppression& suppression, const Leak& leak) {
  if (!ClassMatches(suppression.classes, leak.leak_class)) return false;
  if (suppression.built_in && leak.leak_class == LeakClass::kUnknown) return false;  // it may be the program's
  if (!suppression.text_pattern.empty()) {
    return std::any_of(leak.frames.begin(), leak.frames.end(), [&suppression](const Frame& frame) {
      return TextPatternMatches(suppression.text_pattern, frame.module) ||
             TextPatternMatches(suppression.text_pattern, frame.function) ||
             TextPatternMatches(suppression.text_pattern, frame.file);
    });
  }
  if (suppression.frames.empty()) return false;
  return StackMatches(suppression, leak, /*allocation_frame=*/false) ||
         StackMatches(suppression, leak, /*allocation_frame=*/true);
}

}  // namespace mallocspy
