#include "tools/verdict/suppression_writing.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/verdict/public_name.h"

namespace mallocspy {
namespace {

constexpr size_t kMostFramePatterns = 23;  // Valgrind refuses more than 24, and the allocation function is one

// Doors whose functions Valgrind gives names that one pattern can tell from the others.
// In the order in which entries for the same frames are asked.
enum class DoorFamily { kNew, kNewArray, kMalloc, kAny };

DoorFamily FamilyOf(Door door) {
  switch (door) {
    case Door::kMalloc:
    case Door::kAlignedMalloc:
      return DoorFamily::kMalloc;
    case Door::kNew:
    case Door::kAlignedNew:
      return DoorFamily::kNew;
    case Door::kNewArray:
    case Door::kAlignedNewArray:
      return DoorFamily::kNewArray;
    case Door::kNone:
    case Door::kTask:
      break;
  }
  return DoorFamily::kAny;
}

absl::string_view AllocationFunctionGlob(DoorFamily family) {
  switch (family) {
    case DoorFamily::kMalloc:
      return "*al*";  // malloc, calloc, memalign, ...; also parts of names of new, which is asked before
    case DoorFamily::kNew:
      return "_Znw*";
    case DoorFamily::kNewArray:
      return "_Zna*";
    case DoorFamily::kAny:
      break;
  }
  return "*";
}

// Leaks whose entries would read the same.
struct Entry {
  std::string id;  // of the first
  BlockTotal total;
  bool unknown = false;
  bool lost = false;
  bool possible = false;
  bool reachable = false;
};

// Family, number of frames, text of the frames.
using EntryKey = std::tuple<DoorFamily, size_t, std::string>;

// Whether `name` can stand in a line of its own and comes back from there as it is.
bool FitsOnALine(absl::string_view name) {
  return !name.empty() &&
         std::none_of(name.begin(), name.end(), [](unsigned char c) { return absl::ascii_iscntrl(c); }) &&
         absl::StripAsciiWhitespace(name) == name;
}

std::string FramesText(const Leak& leak) {
  std::string text;
  for (size_t i = 0; i < leak.frames.size() && i < kMostFramePatterns; ++i) {
    const Frame& frame = leak.frames[i];
    absl::string_view name = frame.symbol.empty() ? frame.function : frame.symbol;
    const bool inside_libc = absl::StartsWith(name, kInsideLibc);  // names that Valgrind does not use
    if (inside_libc) name = PublicName(name);
    if (FitsOnALine(name)) {
      absl::StrAppend(&text, "   fun:", inside_libc ? "*" : "", name, "\n");
      if (name == "main") break;  // where Valgrind's stacks end
      continue;
    }
    const std::string module = frame.module.substr(frame.module.rfind('/') + 1);
    absl::StrAppend(&text, "   obj:*", FitsOnALine(module) ? module : "", "\n");
  }
  return text;
}

EntryKey KeyOf(const Leak& leak) {
  std::string text = FramesText(leak);
  const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  return {FamilyOf(leak.door), lines, std::move(text)};
}

void Add(const Leak& leak, Entry* entry) {
  if (entry->id.empty()) entry->id = leak.id;
  entry->total.blocks += leak.blocks;
  entry->total.bytes += leak.bytes;
  switch (leak.leak_class) {
    case LeakClass::kUnknown:
      entry->unknown = true;
      break;
    case LeakClass::kDefinite:
    case LeakClass::kIndirect:
      entry->lost = true;
      break;
    case LeakClass::kPossible:
      entry->possible = true;
      break;
    case LeakClass::kReachable:
      entry->reachable = true;
      break;
  }
}

// Which block of a cycle is the definite one may change from run to run, so the two go together.
std::string KindsText(const Entry& entry) {
  if (entry.unknown) return "";
  std::vector<absl::string_view> kinds;
  if (entry.lost) kinds.emplace_back("definite,indirect");
  if (entry.possible) kinds.emplace_back("possible");
  if (entry.reachable) kinds.emplace_back("reachable");
  return absl::StrCat("   match-leak-kinds: ", absl::StrJoin(kinds, ","), "\n");
}

}  // namespace

std::string SuppressionsFor(const std::vector<Findings>& reports, const FailOn& fail_on) {
  std::map<EntryKey, Entry> by_key;
  for (const Findings* const process : EveryProcess(reports)) {
    if (process->replaced()) continue;
    for (const Leak& leak : process->leaks) {
      if (leak.leak_class == LeakClass::kReachable && !fail_on.Includes(LeakClass::kReachable)) continue;
      Add(leak, &by_key[KeyOf(leak)]);
    }
  }
  std::vector<std::pair<EntryKey, Entry>> entries(by_key.begin(), by_key.end());
  // The first that matches counts. A short stack may be the inner end of a longer one, so the longer comes first.
  std::stable_sort(entries.begin(), entries.end(), [](const auto& left, const auto& right) {
    return std::get<size_t>(left.first) > std::get<size_t>(right.first);
  });
  std::string text;
  for (const auto& [key, entry] : entries) {
    absl::StrAppend(&text, "{\n   mallocspy-", entry.id, "\n   Memcheck:Leak\n", KindsText(entry),
                    "   #mallocspy: max-blocks=", entry.total.blocks, " max-bytes=", entry.total.bytes,
                    " reason=say here why it is accepted\n   fun:", AllocationFunctionGlob(std::get<DoorFamily>(key)),
                    "\n", std::get<std::string>(key), "}\n");
  }
  return text;
}

}  // namespace mallocspy
