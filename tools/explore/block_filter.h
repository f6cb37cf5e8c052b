// Conditions on blocks, as words: `size>=1K`, `function=Load*`, `reach=definite,indirect`. A block must meet all that are given.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/explore/explored_heap.h"

namespace mallocspy {

using BlockCondition = std::function<bool(uint32_t block)>;

struct FilterKey {
  const char* name;
  const char* value;  // what stands behind it, for the help
  const char* help;
};
const std::vector<FilterKey>& FilterKeys();

// Whether the word is meant as one: it has a comparison in it.
bool LooksLikeFilter(absl::string_view word);

// `heap` must outlive the result. The error is a sentence.
absl::StatusOr<BlockCondition> ParseFilter(absl::string_view word, ExploredHeap* heap);

// Words that can stand behind such a key, where they are few; for completion.
std::vector<std::string> ValuesOf(absl::string_view key, ExploredHeap* heap);

// Whether `pattern` is a part of `text`, or by its '*' (anything) and '?' (any character) like the whole of it.
bool IsLike(absl::string_view text, absl::string_view pattern);

}  // namespace mallocspy
