#include "tools/wording/nearest.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/wording/escape.h"

namespace mallocspy {

size_t EditDistance(absl::string_view from, absl::string_view to) {
  // row[j]: distance of the first i letters of `from` to the first j of `to`; the two rows above serve swaps.
  std::vector<size_t> before(to.size() + 1), above(to.size() + 1), row(to.size() + 1);
  for (size_t j = 0; j <= to.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= from.size(); ++i) {
    std::swap(before, above);
    std::swap(above, row);
    row[0] = i;
    for (size_t j = 1; j <= to.size(); ++j) {
      const size_t changed = above[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, changed});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row[to.size()];
}

std::string Nearest(absl::string_view word, const std::vector<std::string>& words) {
  if (word.size() > 64) return "";
  std::string best;
  size_t best_distance = word.size() / 3 + 2;  // farther ones share too little
  for (const std::string& candidate : words) {
    size_t distance = EditDistance(word, candidate);
    if (word.size() >= 3 && absl::StartsWith(candidate, word)) distance = std::min<size_t>(distance, 1);
    if (distance < best_distance && distance < std::max(word.size(), candidate.size())) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string DidYouMean(absl::string_view word, const std::vector<std::string>& words) {
  const std::string nearest = Nearest(word, words);
  return nearest.empty() ? "" : absl::StrCat(" (did you mean '", nearest, "'?)");
}

std::string NotAmong(absl::string_view option, absl::string_view word, const std::vector<std::string>& words) {
  return absl::StrCat(option, ": '", Escaped(word), "' is not one of ", absl::StrJoin(words, ", "),
                      DidYouMean(word, words));
}

}  // namespace mallocspy
