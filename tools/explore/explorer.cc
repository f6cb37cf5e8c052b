#include "tools/explore/explorer.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/explore/answers.h"
#include "tools/explore/block_filter.h"
#include "tools/explore/command_words.h"
#include "tools/explore/explorer_commands.h"
#include "tools/wording/escape.h"
#include "tools/wording/nearest.h"

namespace mallocspy {
namespace {

uint64_t BytesOf(const BlockSet& set, const Snapshot& snapshot) {
  uint64_t bytes = 0;
  for (const uint32_t block : set) bytes += snapshot.blocks[block].size;
  return bytes;
}

Answer SetsAnswer(const NamedSets& sets, const Snapshot& snapshot) {
  Rows rows;
  for (const auto& [name, set] : sets) rows.push_back({name, uint64_t{set.size()}, BytesOf(set, snapshot)});
  Answer answer;
  answer.tables.push_back(
      Table::Of("rows", {{"set"}, {"blocks", Column::Kind::kNumber}, {"bytes", Column::Kind::kBytes}}, std::move(rows)));
  if (sets.empty()) answer.notes.emplace_back("There is no set yet; 'let NAME = blocks ...' makes one.");
  return answer;
}

// Whether the words begin with sets put together: what a line that is no command can be.
bool BeginsWithSet(const std::vector<std::string>& words, const NamedSets& sets) {
  const std::vector<std::string> tokens = SetTokens({words[0]});
  return !tokens.empty() && (tokens[0] == "(" || sets.contains(tokens[0]));
}

std::vector<std::string> BlocksIn(const std::vector<std::string>& expression) {
  std::vector<std::string> words = {"blocks", "in"};
  words.insert(words.end(), expression.begin(), expression.end());
  return words;
}

// "size >= 1K" as "size>=1K". The command stays as it is.
std::vector<std::string> WithFiltersJoined(const std::vector<std::string>& words) {
  const auto is_sign = [](const std::string& word) { return word.find_first_not_of("<>=!") == std::string::npos; };
  std::vector<std::string> joined;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 1 && i + 1 < words.size() && !words[i].empty() && is_sign(words[i])) {
      joined.back() += words[i] + words[i + 1];
      ++i;
    } else {
      joined.push_back(words[i]);
    }
  }
  return joined;
}

}  // namespace

absl::Status Explorer::ExecuteLine(absl::string_view line) {
  const absl::StatusOr<std::vector<std::string>> words = SplitCommand(line);
  if (!words.ok()) return words.status();
  return words->empty() ? absl::OkStatus() : Execute(*words);
}

absl::Status Explorer::Execute(const std::vector<std::string>& words) {
  const absl::Status done = Run(words);
  heap_.namer().EndProgress();
  return done;
}

absl::Status Explorer::Run(const std::vector<std::string>& words) {
  if (words[0] == "let") return Let(words);
  if (FindExplorerCommand(words[0]) == nullptr && BeginsWithSet(words, sets_)) return Run(BlocksIn(words));
  const ExplorerCommand* const command = FindExplorerCommand(words[0]);
  if (command == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no command '", Escaped(words[0]), "'", DidYouMean(words[0], ExplorerCommandNames()), "; 'help' lists them"));
  }
  absl::StatusOr<Question> question = ParseQuestion(WithFiltersJoined(words), sets_);
  if (!question.ok()) return question.status();
  const absl::Status fits = CheckQuestion(*command, *question);
  if (!fits.ok()) return fits;
  if (!question->format.has_value()) question->format = format_;
  if (question->command == "quit") {
    quit_ = true;
    return absl::OkStatus();
  }
  if (question->command == "help") return Help(*question);
  if (question->command == "sets") return Write(*question, SetsAnswer(sets_, heap_.snapshot()));
  const absl::StatusOr<Answer> answer = command->run(*question, &heap_);
  return answer.ok() ? Write(*question, *answer) : answer.status();
}

absl::Status Explorer::Let(const std::vector<std::string>& given) {
  // "let A=..." is three words, too.
  std::vector<std::string> words = given;
  const size_t equals = words.size() > 1 ? words[1].find('=') : std::string::npos;
  if (equals != std::string::npos && equals != 0) {
    const std::string rest = words[1].substr(equals + 1);
    words[1].resize(equals);
    words.insert(words.begin() + 2, "=");
    if (!rest.empty()) words.insert(words.begin() + 3, rest);
  }
  if (words.size() < 4 || words[2] != "=") return absl::InvalidArgumentError("let needs a name and blocks: let NAME = blocks size>=1M");
  const std::string& name = words[1];
  if (!IsSetName(name))
    return absl::InvalidArgumentError(absl::StrCat("'", Escaped(name), "' is no name for a set: letters, digits and '_' are"));
  if (FindExplorerCommand(name) != nullptr || std::find(Modifiers().begin(), Modifiers().end(), name) != Modifiers().end()) {
    return absl::InvalidArgumentError(absl::StrCat("'", name, "' is a word of its own and no name for a set"));
  }
  std::vector<std::string> value(words.begin() + 3, words.end());
  if (value[0] != "blocks") {
    if (FindExplorerCommand(value[0]) != nullptr) return absl::InvalidArgumentError("a set is made by 'blocks' or of other sets");
    value = BlocksIn(value);
  }
  const absl::StatusOr<Question> question = ParseQuestion(WithFiltersJoined(value), sets_);
  if (!question.ok()) return question.status();
  const absl::Status fits = CheckQuestion(*FindExplorerCommand("blocks"), *question);
  if (!fits.ok()) return fits;
  absl::StatusOr<BlockSet> blocks = BlocksAsSet(*question, &heap_);
  if (!blocks.ok()) return blocks.status();
  Question reply;
  reply.command = "let";
  reply.format = question->format.value_or(format_);
  Answer answer;
  answer.notes.push_back(absl::StrCat(name, ": ", TotalText(*blocks, heap_)));
  answer.totals = {{"blocks", blocks->size()}, {"bytes", BytesOf(*blocks, heap_.snapshot())}};
  sets_[name] = *std::move(blocks);
  return Write(reply, answer);
}

absl::Status Explorer::Help(const Question& question) {
  const std::string topic = question.operands.empty() ? "" : question.operands[0];
  const std::string text = ExplorerHelp(topic);
  if (text.empty()) {
    std::vector<std::string> topics = ExplorerCommandNames();
    topics.emplace_back("filters");
    return absl::InvalidArgumentError(absl::StrCat("there is no help on '", Escaped(topic), "'", DidYouMean(topic, topics)));
  }
  sink_(text);
  return absl::OkStatus();
}

absl::Status Explorer::Write(const Question& question, const Answer& answer) {
  WriteAnswer(answer, question.command, *question.format, width_, sink_);
  return absl::OkStatus();
}

}  // namespace mallocspy
