#include "tools/explore/question.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tools/explore/block_filter.h"
#include "tools/wording/escape.h"
#include "tools/wording/nearest.h"

namespace mallocspy {
namespace {

// Of a table for people, unless they say another number; programs get everything.
constexpr uint64_t kUsualRows = 20;

bool IsModifier(const std::string& word) { return std::find(Modifiers().begin(), Modifiers().end(), word) != Modifiers().end(); }

class QuestionParser {
 public:
  QuestionParser(const std::vector<std::string>& words, const NamedSets& sets) : words_(words), sets_(sets) {
    question_.command = words[0];
  }

  absl::StatusOr<Question> Parse() {
    absl::Status status = absl::OkStatus();
    while (next_ < words_.size() && status.ok()) {
      const std::string& word = words_[next_++];
      if (IsModifier(word)) {
        if (next_ == words_.size()) return absl::InvalidArgumentError(absl::StrCat("'", word, "' needs something behind it"));
        status = word == "in" ? Set() : Modify(word, words_[next_++]);
      } else if (LooksLikeFilter(word)) {
        question_.filters.push_back(word);
      } else {
        question_.operands.push_back(word);
      }
    }
    if (!status.ok()) return status;
    return std::move(question_);
  }

 private:
  absl::Status Modify(const std::string& word, const std::string& value) {
    if (word == "as") {
      question_.format = ParseTableFormat(value);
      if (!question_.format.has_value()) return absl::InvalidArgumentError(NotAmong("as", value, TableFormats()));
    } else if (word == "sort") {
      absl::string_view key = value;
      question_.reversed = absl::ConsumePrefix(&key, "-");
      question_.sort = std::string(key);
    } else {
      uint64_t most = 0;
      if (value != "all" && (!absl::SimpleAtoi(value, &most) || most == 0)) {
        return absl::InvalidArgumentError(absl::StrCat(word, ": '", Escaped(value), "' is no number of rows; 'all' shows all of them"));
      }
      question_.most = most;
    }
    return absl::OkStatus();
  }

  absl::Status Set() {
    std::vector<std::string> expression;
    while (next_ < words_.size() && !IsModifier(words_[next_]) && !LooksLikeFilter(words_[next_])) expression.push_back(words_[next_++]);
    expression = SetTokens(expression);
    size_t next = 0;
    absl::StatusOr<BlockSet> set = EvaluateSets(expression, sets_, &next);
    if (!set.ok()) return set.status();
    if (next != expression.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", Escaped(expression[next]), "' stands behind the set, where '&', '|' or '-' could"));
    }
    question_.set = *std::move(set);
    return absl::OkStatus();
  }

  const std::vector<std::string>& words_;
  const NamedSets& sets_;
  Question question_;
  size_t next_ = 1;
};

// Negative, zero or positive, as `a` stands before, beside or behind `b`: large numbers first, then texts by the alphabet, nothing last.
int Order(const Cell& a, const Cell& b) {
  if (a.index() != b.index()) return a.index() == 0 ? 1 : b.index() == 0 ? -1 : static_cast<int>(a.index()) - static_cast<int>(b.index());
  if (const auto* text = std::get_if<std::string>(&a)) return text->compare(std::get<std::string>(b));
  if (a == b) return 0;
  return a > b ? -1 : 1;
}

}  // namespace

const std::vector<std::string>& Modifiers() {
  static const std::vector<std::string>* const kWords = new std::vector<std::string>{"in", "top", "limit", "sort", "as"};
  return *kWords;
}

absl::StatusOr<Question> ParseQuestion(const std::vector<std::string>& words, const NamedSets& sets) {
  return QuestionParser(words, sets).Parse();
}

absl::StatusOr<BlockSet> ChosenBlocks(const Question& question, ExploredHeap* heap) {
  const absl::Status known = heap->NeedBlocks();
  if (!known.ok()) return known;
  BlockSet blocks;
  if (question.set.has_value()) {
    blocks = *question.set;
  } else {
    blocks.resize(heap->snapshot().blocks.size());
    std::iota(blocks.begin(), blocks.end(), 0);
  }
  for (const std::string& filter : question.filters) {
    const absl::StatusOr<BlockCondition> condition = ParseFilter(filter, heap);
    if (!condition.ok()) return condition.status();
    std::erase_if(blocks, [&condition](uint32_t block) { return !(*condition)(block); });
  }
  return blocks;
}

uint64_t ShownRows(const Question& question, uint64_t rows, Answer* answer) {
  const bool for_people = question.format.value_or(TableFormat::kTable) == TableFormat::kTable;
  const uint64_t most = question.most.value_or(for_people ? kUsualRows : 0);
  if (most == 0 || rows <= most) return rows;
  answer->notes.push_back(absl::StrCat(most, " of ", rows, " rows are shown; 'top ", most * 5, "' and 'top all' show more"));
  return most;
}

absl::Status AddTable(const Question& question, std::string name, std::vector<Column> columns, Rows rows, const std::string& sort,
                      Answer* answer) {
  const std::string& key = question.sort.empty() ? sort : question.sort;
  if (!key.empty()) {
    std::vector<std::string> names;
    for (const Column& column : columns) names.push_back(column.name);
    const auto found = std::find(names.begin(), names.end(), key);
    if (found == names.end()) return absl::InvalidArgumentError(NotAmong("sort", key, names));
    const auto column = static_cast<size_t>(found - names.begin());
    const bool reversed = question.reversed != (columns[column].kind == Column::Kind::kAddress);
    std::stable_sort(rows.begin(), rows.end(), [column, reversed](const std::vector<Cell>& a, const std::vector<Cell>& b) {
      return reversed ? Order(b[column], a[column]) < 0 : Order(a[column], b[column]) < 0;
    });
  }
  rows.resize(ShownRows(question, rows.size(), answer));
  answer->tables.push_back(Table::Of(std::move(name), std::move(columns), std::move(rows)));
  return absl::OkStatus();
}

}  // namespace mallocspy
