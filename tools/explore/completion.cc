#include "tools/explore/completion.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tools/explore/block_filter.h"
#include "tools/explore/command_words.h"
#include "tools/explore/explorer_commands.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

// Where the word begins in which the line ends.
size_t LastWord(absl::string_view line) {
  size_t begin = 0;
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    if (quote == 0 && absl::ascii_isspace(static_cast<unsigned char>(line[i]))) begin = i + 1;
    if (quote == 0 && (line[i] == '\'' || line[i] == '"')) {
      quote = line[i];
    } else if (line[i] == quote) {
      quote = 0;
    }
  }
  return begin;
}

std::vector<std::string> SetNames(const Explorer& explorer) {
  std::vector<std::string> names;
  for (const auto& [name, set] : explorer.sets()) names.push_back(name);
  return names;
}

// "size>=", "function=": with the comparison that is usual.
std::vector<std::string> FilterBeginnings() {
  std::vector<std::string> words;
  for (const FilterKey& key : FilterKeys()) {
    const absl::string_view value = key.value;
    words.push_back(absl::StrCat(key.name, value.substr(0, absl::StartsWith(value, ">=") ? 2 : 1)));
  }
  return words;
}

void Add(const std::vector<std::string>& more, std::vector<std::string>* words) { words->insert(words->end(), more.begin(), more.end()); }

// What can stand behind `words`.
std::vector<std::string> WordsBehind(const std::vector<std::string>& words, const Explorer& explorer) {
  std::vector<std::string> result;
  if (words.empty()) {
    result = ExplorerCommandNames();
    Add(SetNames(explorer), &result);
    return result;
  }
  const std::string& last = words.back();
  if (last == "as") return TableFormats();
  if (last == "in" || last == "&" || last == "|" || last == "-") return SetNames(explorer);
  if (last == "top" || last == "limit") return {};
  if (words[0] == "help") {
    result = ExplorerCommandNames();
    result.emplace_back("filters");
    return result;
  }
  if (words[0] == "let") {
    if (last != "=" && words.size() < 4) return {};
    if (last == "=") {
      result = SetNames(explorer);
      result.emplace_back("blocks");
      return result;
    }
  }
  const ExplorerCommand* const command = FindExplorerCommand(words[0] == "let" ? "blocks" : words[0]);
  if (command == nullptr) return {"as", "top", "limit", "sort"};
  if (last == "sort") return absl::StrSplit(command->sort_keys, ' ', absl::SkipEmpty());
  if (command->chooses_blocks) {
    result = FilterBeginnings();
    result.emplace_back("in");
  }
  if (command->sort_keys[0] != '\0') result.emplace_back("sort");
  Add({"as", "top", "limit"}, &result);
  return result;
}

std::string Quoted(const std::string& text, bool always) {
  if (!always && text.find_first_of(" '\"#") == std::string::npos) return text;
  const char* const quote = text.find('\'') == std::string::npos ? "'" : "\"";
  return absl::StrCat(quote, text, quote);
}

}  // namespace

Completion Complete(absl::string_view line, Explorer* explorer) {
  Completion completion;
  completion.begin = LastWord(line);
  const absl::StatusOr<std::vector<std::string>> before = SplitCommand(line.substr(0, completion.begin));
  if (!before.ok()) return completion;
  absl::string_view typed = line.substr(completion.begin);
  const size_t sign = typed.find_first_of("=<>!");
  if (sign != absl::string_view::npos && sign != 0 && !before->empty()) {
    const size_t value = typed.find_first_not_of("=<>!", sign);
    const std::string key(typed.substr(0, sign));
    completion.begin += value == absl::string_view::npos ? typed.size() : value;
    typed = line.substr(completion.begin);
    const bool quoted = !typed.empty() && (typed[0] == '\'' || typed[0] == '"');
    if (quoted) typed.remove_prefix(1);
    for (const std::string& word : ValuesOf(key, &explorer->heap())) {
      // A name that cannot be typed as it is is no help.
      if (absl::StartsWith(word, typed) && Escaped(word) == word) completion.candidates.push_back(Quoted(word, quoted));
    }
    explorer->heap().namer().EndProgress();
  } else {
    for (const std::string& word : WordsBehind(*before, *explorer)) {
      if (absl::StartsWith(word, typed)) completion.candidates.push_back(word);
    }
    completion.ends_word = completion.candidates.size() != 1 || completion.candidates[0].back() != '=';
  }
  std::sort(completion.candidates.begin(), completion.candidates.end());
  completion.candidates.erase(std::unique(completion.candidates.begin(), completion.candidates.end()), completion.candidates.end());
  return completion;
}

std::string CommonBeginning(const std::vector<std::string>& texts) {
  if (texts.empty()) return "";
  size_t length = texts[0].size();
  for (const std::string& text : texts) {
    size_t same = 0;
    while (same < std::min(length, text.size()) && text[same] == texts[0][same]) ++same;
    length = same;
  }
  return texts[0].substr(0, length);
}

}  // namespace mallocspy
