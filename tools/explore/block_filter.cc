#include "tools/explore/block_filter.h"

#include <algorithm>
#include <optional>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tools/explore/quantity.h"
#include "tools/verdict/findings.h"
#include "tools/wording/escape.h"
#include "tools/wording/nearest.h"

namespace mallocspy {
namespace {

struct Comparison {
  std::string key;
  std::string sign;  // "=", "!=", "<", "<=", ">", ">="
  std::string value;
};

std::optional<Comparison> Split(absl::string_view word) {
  const size_t at = word.find_first_of("=<>!");
  if (at == absl::string_view::npos || at == 0) return std::nullopt;
  size_t end = at + 1;
  if (word[at] != '=' && end < word.size() && word[end] == '=') ++end;
  if (word[at] == '=' && end < word.size() && word[end] == '=') return std::nullopt;
  if (word.substr(at, end - at) == "!") return std::nullopt;
  return Comparison{std::string(word.substr(0, at)), std::string(word.substr(at, end - at)), std::string(word.substr(end))};
}

bool Compare(uint64_t a, const std::string& sign, uint64_t b) {
  if (sign == "=") return a == b;
  if (sign == "!=") return a != b;
  if (sign == "<") return a < b;
  if (sign == "<=") return a <= b;
  if (sign == ">") return a > b;
  return a >= b;
}

std::vector<std::string> DoorWords() {
  std::vector<std::string> words;
  for (uint32_t door = 1; door < kDoors; ++door) words.emplace_back(NameOf(static_cast<Door>(door)));
  return words;
}

std::vector<std::string> ReachWords() { return {"definite", "indirect", "possible", "reachable", "unknown"}; }

std::vector<std::string> ShapeWords() {
  std::vector<std::string> words;
  for (uint32_t shape = 0; shape <= static_cast<uint32_t>(ledger::kLastShape); ++shape) {
    words.emplace_back(ShapeWord(static_cast<ledger::Shape>(shape)));
  }
  return words;
}

std::vector<std::string> KeyNames() {
  std::vector<std::string> names;
  for (const FilterKey& key : FilterKeys()) names.emplace_back(key.name);
  return names;
}

// Makes the condition that one comparison stands for.
class FilterParser {
 public:
  FilterParser(Comparison comparison, ExploredHeap* heap) : comparison_(std::move(comparison)), heap_(*heap) {}

  absl::StatusOr<BlockCondition> Parse();

 private:
  using NumberOf = std::function<uint64_t(const SnapshotBlock&)>;

  absl::Status Wrong(absl::string_view expected) const {
    return absl::InvalidArgumentError(absl::StrCat(comparison_.key, comparison_.sign, Escaped(comparison_.value), ": '",
                                                   Escaped(comparison_.value), "' is not ", expected));
  }
  bool equality() const { return comparison_.sign == "=" || comparison_.sign == "!="; }

  absl::StatusOr<BlockCondition> Number(std::optional<uint64_t> value, absl::string_view expected, NumberOf number_of) const {
    if (!value.has_value()) return Wrong(expected);
    return BlockCondition([number_of = std::move(number_of), sign = comparison_.sign, value = *value, &heap = heap_](uint32_t block) {
      return Compare(number_of(heap.snapshot().blocks[block]), sign, value);
    });
  }

  // Those whose number by `number_of` is chosen by `chosen`, or with "!=" is not.
  BlockCondition Among(std::vector<bool> chosen, std::function<uint32_t(const SnapshotBlock&)> number_of) const {
    if (comparison_.sign == "!=") chosen.flip();
    return [chosen = std::move(chosen), number_of = std::move(number_of), &heap = heap_](uint32_t block) {
      return static_cast<bool>(chosen[number_of(heap.snapshot().blocks[block])]);
    };
  }

  absl::StatusOr<BlockCondition> Words(const std::vector<std::string>& words, uint32_t first,
                                       std::function<uint32_t(const SnapshotBlock&)> number_of) const {
    std::vector<bool> chosen(words.size() + first);
    for (const std::string& word : std::vector<std::string>(absl::StrSplit(comparison_.value, ','))) {
      const auto found = std::find(words.begin(), words.end(), word);
      if (found == words.end()) return absl::InvalidArgumentError(NotAmong(absl::StrCat(comparison_.key, comparison_.sign), word, words));
      chosen[static_cast<size_t>(found - words.begin()) + first] = true;
    }
    return Among(std::move(chosen), std::move(number_of));
  }

  absl::StatusOr<BlockCondition> Mark() const;
  absl::StatusOr<BlockCondition> Address() const;
  BlockCondition Function() const;
  BlockCondition Module() const;
  BlockCondition Class() const;

  const Comparison comparison_;
  ExploredHeap& heap_;
};

absl::StatusOr<BlockCondition> FilterParser::Mark() const {
  std::optional<uint64_t> number = ParseQuantity(comparison_.value);
  std::vector<std::string> names;
  for (const SnapshotMark& mark : heap_.snapshot().marks) {
    names.push_back(mark.name);
    if (mark.name == comparison_.value && !number.has_value()) number = mark.number;
  }
  if (!number.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("mark", comparison_.sign, Escaped(comparison_.value), ": there is no mark of this name",
                                                   Escaped(DidYouMean(comparison_.value, names)), "; 'marks' lists them"));
  }
  return Number(number, "", [&heap = heap_](const SnapshotBlock& block) { return heap.MarkOf(block); });
}

absl::StatusOr<BlockCondition> FilterParser::Address() const {
  const size_t dots = comparison_.value.find("..");
  const auto address_of = [](const SnapshotBlock& block) { return block.address; };
  if (dots == std::string::npos)
    return Number(ParseAddress(comparison_.value), "an address (0x5000) or a range of them (0x5000..0x6000)", address_of);
  const std::optional<uint64_t> first = ParseAddress(absl::string_view(comparison_.value).substr(0, dots));
  const std::optional<uint64_t> last = ParseAddress(absl::string_view(comparison_.value).substr(dots + 2));
  if (!first.has_value() || !last.has_value() || *first > *last || !equality())
    return Wrong("a range of addresses (0x5000..0x6000, with '=' or '!=')");
  return BlockCondition([first = *first, last = *last, inside = comparison_.sign == "=", &heap = heap_](uint32_t block) {
    const uint64_t address = heap.snapshot().blocks[block].address;
    return (address >= first && address <= last) == inside;
  });
}

BlockCondition FilterParser::Function() const {
  std::vector<bool> chosen(heap_.snapshot().stacks.size());
  for (const uint32_t stack : heap_.live_stacks()) {
    chosen[stack] = heap_.AnyFunction(stack, [this](const std::string& function) { return IsLike(function, comparison_.value); });
  }
  return Among(std::move(chosen), [](const SnapshotBlock& block) { return block.stack; });
}

BlockCondition FilterParser::Module() const {
  const Snapshot& snapshot = heap_.snapshot();
  std::vector<bool> wanted;
  for (const SnapshotModule& module : snapshot.modules) {
    const std::string name = module.path.substr(module.path.rfind('/') + 1);
    wanted.push_back(!module.path.empty() && !module.self && (IsLike(name, comparison_.value) || IsLike(module.path, comparison_.value)));
  }
  // A callee's node follows its caller's.
  std::vector<bool> below(snapshot.nodes.size());
  for (size_t node = 1; node < below.size(); ++node) {
    below[node] = below[snapshot.nodes[node].parent] || wanted[snapshot.nodes[node].site >> ledger::kSiteModuleShift];
  }
  std::vector<bool> chosen;
  for (const SnapshotStack& stack : snapshot.stacks) chosen.push_back(below[stack.node]);
  return Among(std::move(chosen), [](const SnapshotBlock& block) { return block.stack; });
}

BlockCondition FilterParser::Class() const {
  TypeNames& types = heap_.types();
  std::vector<bool> chosen;
  for (uint32_t kind = 0; kind < types.kinds(); ++kind) chosen.push_back(IsLike(types.OfKind(kind), comparison_.value));
  return Among(std::move(chosen), [&types](const SnapshotBlock& block) { return types.KindOf(block); });
}

absl::StatusOr<BlockCondition> FilterParser::Parse() {
  const std::string& key = comparison_.key;
  const std::string& value = comparison_.value;
  if (key == "size") return Number(ParseQuantity(value), "a size (4096, 4K, 1.5M)", [](const SnapshotBlock& block) { return block.size; });
  if (key == "stack") return Number(ParseQuantity(value), "the number of a stack", [](const SnapshotBlock& block) { return block.stack; });
  if (key == "mark") return Mark();
  if (key == "address") return Address();
  if (key == "thread") {
    return Number(ParseQuantity(value), "the number of a thread",
                  [&snapshot = heap_.snapshot()](const SnapshotBlock& block) { return snapshot.roots[block.root].tid; });
  }
  const std::vector<std::string> names = KeyNames();
  if (std::find(names.begin(), names.end(), key) == names.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no filter '", Escaped(key), "'", DidYouMean(key, names), "; 'help filters' lists them"));
  }
  if (!equality()) return absl::InvalidArgumentError(absl::StrCat(key, " is no number: it can be compared by '=' and '!=' only"));
  if (value.empty()) return absl::InvalidArgumentError(absl::StrCat(key, comparison_.sign, " needs a value"));
  if (key == "door") return Words(DoorWords(), 1, [](const SnapshotBlock& block) { return static_cast<uint32_t>(block.door); });
  if (key == "shape") return Words(ShapeWords(), 0, [](const SnapshotBlock& block) { return static_cast<uint32_t>(block.shape); });
  if (key == "reach") {
    // In the order of ledger::Reach.
    return Words({"unknown", "definite", "indirect", "possible", "reachable"}, 0,
                 [](const SnapshotBlock& block) { return static_cast<uint32_t>(block.reach); });
  }
  if (key == "function") return Function();
  if (key == "module") return Module();
  return Class();
}

}  // namespace

const std::vector<FilterKey>& FilterKeys() {
  static const std::vector<FilterKey>* const kKeys = new std::vector<FilterKey>{
      {"size", ">=1K", "bytes, also with <, <=, >, = and !="},
      {"function", "=Load*", "a function on the stack that made it; without * and ? a part of its name"},
      {"module", "=libfoo*", "a module on that stack, by its name or path"},
      {"class", "=*Session", "what it is: a class, or a guess such as '(std::list node)'"},
      {"type", "=*Session", "the same"},
      {"shape", "=list-node", "object, string, vector, list-node, tree-node, hash-node, hash-buckets, deque-chunk, deque-map, unknown"},
      {"reach", "=definite", "definite, indirect, possible, reachable, unknown; also several, with commas"},
      {"door", "=new[]", "malloc, new, new[], ...; also several"},
      {"mark", ">=N", "made at mark N or later; also by the name of a mark"},
      {"stack", "=N", "the number of the stack that made it"},
      {"thread", "=TID", "held by this thread's stack, registers or thread-local data"},
      {"address", "=A..B", "begins there"},
  };
  return *kKeys;
}

bool LooksLikeFilter(absl::string_view word) { return Split(word).has_value(); }

absl::StatusOr<BlockCondition> ParseFilter(absl::string_view word, ExploredHeap* heap) {
  std::optional<Comparison> comparison = Split(word);
  if (!comparison.has_value()) return absl::InvalidArgumentError(absl::StrCat("'", Escaped(word), "' is no filter"));
  return FilterParser(*std::move(comparison), heap).Parse();
}

std::vector<std::string> ValuesOf(absl::string_view key, ExploredHeap* heap) {
  std::set<std::string> values;
  if (key == "door") return DoorWords();
  if (key == "reach") return ReachWords();
  if (key == "shape") return ShapeWords();
  if (key == "mark") {
    for (const SnapshotMark& mark : heap->snapshot().marks) values.insert(mark.name);
  } else if (key == "module") {
    for (const SnapshotModule& module : heap->snapshot().modules) values.insert(module.path.substr(module.path.rfind('/') + 1));
  } else if (key == "class" || key == "type") {
    for (const SnapshotBlock& block : heap->snapshot().blocks) {
      if (values.size() < 10000) values.insert(heap->types().Of(block));
    }
  } else if (key == "function") {
    for (const uint32_t stack : heap->live_stacks()) {
      heap->AnyFunction(stack, [&values](const std::string& function) {
        values.insert(function.substr(0, function.find('(', function.find("(anonymous") == 0 ? 1 : 0)));
        return false;
      });
    }
  }
  values.erase("");
  return {values.begin(), values.end()};
}

bool IsLike(absl::string_view text, absl::string_view pattern) {
  // As it stands first: a '*' may be that of a pointer.
  if (absl::StrContains(text, pattern)) return true;
  if (pattern.find_first_of("*?") == absl::string_view::npos) return false;
  // What follows the last '*' is tried ever farther behind.
  size_t at = 0, in_pattern = 0, star = absl::string_view::npos, from = 0;
  while (at < text.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = in_pattern++;
      from = at;
    } else if (in_pattern < pattern.size() && (pattern[in_pattern] == '?' || pattern[in_pattern] == text[at])) {
      ++in_pattern;
      ++at;
    } else if (star != absl::string_view::npos) {
      in_pattern = star + 1;
      at = ++from;
    } else {
      return false;
    }
  }
  while (in_pattern < pattern.size() && pattern[in_pattern] == '*') ++in_pattern;
  return in_pattern == pattern.size();
}

}  // namespace mallocspy
