#include "tools/verdict/suppression_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "tools/wording/escape.h"
#include "tools/wording/nearest.h"

namespace mallocspy {
namespace {

constexpr size_t kMostBytes = 16 << 20;  // of a file, which may be /dev/zero

// The beginning of `text`, for a message: the file may be anything.
std::string Quoted(absl::string_view text) {
  constexpr size_t kMostBytes = 60;
  return absl::StrCat("'", Escaped(text.substr(0, kMostBytes)), text.size() > kMostBytes ? "..." : "", "'");
}

// "4k" is 4096.
bool ParseAmount(absl::string_view text, uint64_t* amount) {
  int shift = 0;
  if (absl::ConsumeSuffix(&text, "k")) shift = 10;
  if (shift == 0 && absl::ConsumeSuffix(&text, "m")) shift = 20;
  if (shift == 0 && absl::ConsumeSuffix(&text, "g")) shift = 30;
  if (!absl::SimpleAtoi(text, amount) || *amount > UINT64_MAX >> shift) return false;
  *amount <<= shift;
  return true;
}

class Parser {
 public:
  Parser(absl::string_view text, const std::string& file) : file_(file), lines_(absl::StrSplit(text, '\n')) {}

  absl::StatusOr<std::vector<Suppression>> Parse() {
    while (Next()) {
      absl::Status status;
      if (line_[0] == '#') {
        status = Comment(&ahead_);
      } else if (line_ == "{") {
        status = Block();
      } else if (absl::ConsumePrefix(&line_, "leak:")) {
        status = TextPattern();
      } else {
        status =
            Wrong(absl::StrCat(Quoted(line_), " is neither leak:PATTERN, nor { of a Valgrind block, nor a comment"));
      }
      if (!status.ok()) return status;
    }
    if (ahead_line_ == 0) return std::move(result_);
    at_ = ahead_line_;
    return Wrong("nothing follows to which this #mallocspy: line could belong");
  }

 private:
  // The next line that is not blank, without blanks around it.
  bool Next() {
    while (at_ < lines_.size()) {
      line_ = absl::StripAsciiWhitespace(lines_[at_++]);
      if (!line_.empty()) return true;
    }
    return false;
  }

  absl::Status Wrong(absl::string_view sentence) const {
    return absl::InvalidArgumentError(absl::StrCat(Escaped(file_), ":", at_, ": ", sentence));
  }

  absl::Status Comment(Suppression* suppression) {
    absl::string_view rest = absl::StripLeadingAsciiWhitespace(line_.substr(1));
    if (!absl::ConsumePrefix(&rest, "mallocspy:")) return absl::OkStatus();
    if (suppression == &ahead_) ahead_line_ = at_;
    for (;;) {
      rest = absl::StripLeadingAsciiWhitespace(rest);
      if (rest.empty()) return absl::OkStatus();
      if (absl::ConsumePrefix(&rest, "reason=")) {
        suppression->reason = std::string(rest);
        return absl::OkStatus();
      }
      const absl::string_view word = rest.substr(0, rest.find_first_of(" \t"));
      rest.remove_prefix(word.size());
      const absl::Status set = Set(word, suppression);
      if (!set.ok()) return set;
    }
  }

  absl::Status Set(absl::string_view word, Suppression* suppression) const {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(word, absl::MaxSplits('=', 1));
    if (parts.first == "max-blocks" || parts.first == "max-bytes") {
      uint64_t amount;
      if (!ParseAmount(parts.second, &amount)) {
        return Wrong(absl::StrCat(parts.first, ": ", Quoted(parts.second), " is not a number such as 10, 4k or 1m"));
      }
      (parts.first == "max-blocks" ? suppression->max_blocks : suppression->max_bytes) = amount;
      return absl::OkStatus();
    }
    if (parts.first == "expires") {
      absl::CivilDay day;
      if (parts.second.size() != 10 || !absl::ParseCivilTime(parts.second, &day)) {
        return Wrong(absl::StrCat("expires: ", Quoted(parts.second), " is not a day such as 2027-01-31"));
      }
      suppression->expires = day;
      return absl::OkStatus();
    }
    return Wrong(NotAmong("#mallocspy", parts.first, {"max-blocks", "max-bytes", "expires", "reason"}));
  }

  // A new suppression that begins at this line, with what comments ahead of it said.
  Suppression Begin() {
    Suppression suppression = std::exchange(ahead_, Suppression());
    ahead_line_ = 0;
    suppression.file = file_;
    suppression.line = static_cast<int>(at_);
    return suppression;
  }

  absl::Status TextPattern() {
    Suppression suppression = Begin();
    if (line_.empty()) return Wrong("leak: without a pattern would suppress every leak; leak:* says so");
    suppression.name = suppression.text_pattern = std::string(line_);
    result_.push_back(std::move(suppression));
    return absl::OkStatus();
  }

  absl::Status Block() {
    Suppression suppression = Begin();
    const size_t start = at_;
    bool for_leaks = false;
    int content = 0;  // lines of the block that are no comments
    while (Next()) {
      absl::Status status;
      if (line_[0] == '#') {
        status = Comment(&suppression);
      } else if (line_ == "}") {
        return EndBlock(content, for_leaks, std::move(suppression));
      } else if (line_ == "{") {
        return Wrong(absl::StrCat("the block that begins in line ", start, " is not closed with }"));
      } else if (++content == 1) {
        suppression.name = std::string(line_);
      } else if (content == 2) {
        const size_t colon = line_.find(':');
        if (colon == absl::string_view::npos) {
          return Wrong("the second line of a block is TOOL:KIND, for example Memcheck:Leak");
        }
        const std::vector<absl::string_view> tools = absl::StrSplit(line_.substr(0, colon), ',');
        for_leaks =
            std::find(tools.begin(), tools.end(), "Memcheck") != tools.end() && line_.substr(colon + 1) == "Leak";
      } else if (for_leaks) {
        status = Line(&suppression);
      }
      if (!status.ok()) return status;
    }
    at_ = start;
    return Wrong("this block is not closed with }");
  }

  absl::Status EndBlock(int content, bool for_leaks, Suppression suppression) {
    if (content < 2) return Wrong("a block needs a name and a line such as Memcheck:Leak");
    if (!for_leaks) return absl::OkStatus();
    const auto& frames = suppression.frames;
    if (std::all_of(frames.begin(), frames.end(),
                    [](const FramePattern& frame) { return frame.kind == FramePattern::Kind::kAnyFrames; })) {
      return Wrong("a block for leaks needs a fun:, obj: or src: line");
    }
    result_.push_back(std::move(suppression));
    return absl::OkStatus();
  }

  absl::Status Line(Suppression* suppression) {
    if (absl::ConsumePrefix(&line_, "match-leak-kinds:")) return Kinds(suppression);
    FramePattern frame;
    if (line_ != "...") {
      if (absl::ConsumePrefix(&line_, "fun:")) {
        frame = {FramePattern::Kind::kFunction, std::string(line_)};
      } else if (absl::ConsumePrefix(&line_, "obj:")) {
        frame = {FramePattern::Kind::kModule, std::string(line_)};
      } else if (absl::ConsumePrefix(&line_, "src:")) {
        frame = {FramePattern::Kind::kSource, std::string(line_)};
      } else {
        return Wrong(absl::StrCat(Quoted(line_), " is not fun:, obj:, src: or ..."));
      }
      if (line_.empty()) return Wrong("a pattern is missing behind the colon; * stands for any name");
    }
    suppression->frames.push_back(std::move(frame));
    return absl::OkStatus();
  }

  absl::Status Kinds(Suppression* suppression) const {
    std::vector<LeakClass> classes;
    for (const absl::string_view part : absl::StrSplit(line_, ',')) {
      const absl::string_view kind = absl::StripAsciiWhitespace(part);
      if (kind == "all") {
        classes.insert(classes.end(),
                       {LeakClass::kDefinite, LeakClass::kIndirect, LeakClass::kPossible, LeakClass::kReachable});
      } else if (kind == "definite") {
        classes.push_back(LeakClass::kDefinite);
      } else if (kind == "indirect") {
        classes.push_back(LeakClass::kIndirect);
      } else if (kind == "possible") {
        classes.push_back(LeakClass::kPossible);
      } else if (kind == "reachable") {
        classes.push_back(LeakClass::kReachable);
      } else {
        return Wrong(NotAmong("match-leak-kinds", kind, {"definite", "indirect", "possible", "reachable", "all"}));
      }
    }
    suppression->classes = std::move(classes);
    return absl::OkStatus();
  }

  const std::string file_;
  const std::vector<absl::string_view> lines_;
  size_t at_ = 0;  // number of the current line, from 1
  absl::string_view line_;
  Suppression ahead_;      // what comments say about the next suppression
  size_t ahead_line_ = 0;  // of the last such comment; 0 if there is none
  std::vector<Suppression> result_;
};

}  // namespace

absl::StatusOr<std::vector<Suppression>> ParseSuppressions(absl::string_view text, const std::string& file) {
  return Parser(text, file).Parse();
}

absl::StatusOr<std::vector<Suppression>> ReadSuppressions(const std::string& path) {
  std::error_code ignored;
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path, ignored)) {
    return absl::InvalidArgumentError(absl::StrCat("the suppressions '", Escaped(path), "' cannot be read (",
                                                   file ? "it is a directory" : std::strerror(errno), ")"));
  }
  std::string text(kMostBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMostBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the suppressions '", Escaped(path), "' are larger than 16 MiB: this is no file of suppressions"));
  }
  return ParseSuppressions(text, path);
}

}  // namespace mallocspy
