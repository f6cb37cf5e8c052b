#include "tools/explore/set_expression.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tools/wording/escape.h"
#include "tools/wording/nearest.h"

namespace mallocspy {
namespace {

constexpr int kDeepest = 100;  // parentheses within one another

bool IsOperator(absl::string_view word) { return word == "&" || word == "|" || word == "-"; }

class Parser {
 public:
  Parser(const std::vector<std::string>& words, const NamedSets& sets, size_t* next) : words_(words), sets_(sets), next_(*next) {}

  absl::StatusOr<BlockSet> Expression(int depth) {
    absl::StatusOr<BlockSet> left = Term(depth);
    while (left.ok() && next_ < words_.size() && IsOperator(words_[next_])) {
      const std::string& sign = words_[next_++];
      const absl::StatusOr<BlockSet> right = Term(depth);
      if (!right.ok()) return right.status();
      *left = sign == "&" ? Both(*left, *right) : sign == "|" ? Either(*left, *right) : Without(*left, *right);
    }
    return left;
  }

 private:
  absl::StatusOr<BlockSet> Term(int depth) {
    if (next_ == words_.size()) return absl::InvalidArgumentError("the name of a set is missing at the end");
    const std::string& word = words_[next_++];
    if (word == "(") {
      if (depth == kDeepest) return absl::InvalidArgumentError("too many parentheses");
      absl::StatusOr<BlockSet> inner = Expression(depth + 1);
      if (!inner.ok()) return inner;
      if (next_ == words_.size() || words_[next_] != ")") return absl::InvalidArgumentError("a ')' is missing");
      ++next_;
      return inner;
    }
    const auto set = sets_.find(word);
    if (set != sets_.end()) return set->second;
    std::vector<std::string> names;
    for (const auto& [name, unused] : sets_) names.push_back(name);
    return absl::InvalidArgumentError(absl::StrCat("there is no set '", Escaped(word), "'", DidYouMean(word, names), "; 'let ",
                                                   IsSetName(word) ? word : "NAME", " = blocks ...' makes one"));
  }

  const std::vector<std::string>& words_;
  const NamedSets& sets_;
  size_t& next_;
};

}  // namespace

bool IsSetName(absl::string_view word) {
  if (word.empty() || absl::ascii_isdigit(static_cast<unsigned char>(word[0]))) return false;
  for (const char letter : word) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(letter)) && letter != '_') return false;
  }
  return true;
}

std::vector<std::string> SetTokens(const std::vector<std::string>& words) {
  std::vector<std::string> tokens;
  for (const std::string& word : words) {
    std::string name;
    for (const char letter : word) {
      if (absl::string_view("&|-()").find(letter) == absl::string_view::npos) {
        name += letter;
        continue;
      }
      if (!name.empty()) tokens.push_back(name);
      tokens.emplace_back(1, letter);
      name.clear();
    }
    if (!name.empty()) tokens.push_back(name);
  }
  return tokens;
}

absl::StatusOr<BlockSet> EvaluateSets(const std::vector<std::string>& words, const NamedSets& sets, size_t* next) {
  return Parser(words, sets, next).Expression(0);
}

}  // namespace mallocspy
