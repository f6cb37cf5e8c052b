#include "tools/explore/line_editor.h"

#include <histedit.h>

#include <clocale>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "tools/explore/completion.h"
#include "tools/explore/history_file.h"
#include "tools/explore/text_width.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

constexpr size_t kMostShown = 200;  // candidates

class LineEditor : public CommandInput {
 public:
  explicit LineEditor(Explorer* explorer) : explorer_(*explorer), file_(HistoryFile::UsualPath()) {}
  ~LineEditor() override {
    if (editor_ != nullptr) el_end(editor_);
    if (history_ != nullptr) history_end(history_);
  }
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  bool Open() {
    std::setlocale(LC_CTYPE, "");  // libedit reads characters as the terminal sends them
    editor_ = el_init("mallocspy", stdin, stdout, stderr);
    history_ = history_init();
    if (editor_ == nullptr || history_ == nullptr) return false;
    HistEvent event;
    history(history_, &event, H_SETSIZE, static_cast<int>(HistoryFile::kMostLines));
    history(history_, &event, H_SETUNIQUE, 1);
    for (const std::string& line : file_.Load()) history(history_, &event, H_ENTER, line.c_str());
    el_set(editor_, EL_CLIENTDATA, this);
    el_set(editor_, EL_PROMPT, &Prompt);
    el_set(editor_, EL_EDITOR, "emacs");
    el_set(editor_, EL_HIST, history, history_);
    el_set(editor_, EL_ADDFN, "explore-complete", "complete a word", &CompleteWord);
    el_set(editor_, EL_BIND, "^I", "explore-complete", nullptr);
    el_set(editor_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    // While a line is edited, the keys that send signals are keys like others.
    el_set(editor_, EL_SETTY, "-d", "-isig", nullptr);
    el_set(editor_, EL_ADDFN, "explore-cancel", "give the line up", &Cancel);
    el_set(editor_, EL_BIND, "^C", "explore-cancel", nullptr);
    el_set(editor_, EL_ADDFN, "explore-suspend", "stop for a while", &Suspend);
    el_set(editor_, EL_BIND, "^Z", "explore-suspend", nullptr);
    return true;
  }

  bool interactive() const override { return true; }

  bool ReadLine(std::string* line) override {
    for (;;) {
      int count = 0;
      cancelled_ = false;
      el_set(editor_, EL_PREP_TERM, 1);  // before the prompt invites to type
      const char* const text = el_gets(editor_, &count);
      if (text == nullptr || count <= 0) {
        std::fputs("\n", stdout);
        std::fflush(stdout);
        return false;
      }
      if (cancelled_) continue;
      *line = std::string(absl::StripSuffix(absl::string_view(text, static_cast<size_t>(count)), "\n"));
      Remember(*line);
      return true;
    }
  }

 private:
  static char* Prompt(EditLine*) {
    static char prompt[] = "mallocspy> ";
    return prompt;
  }

  static LineEditor* Of(EditLine* editor) {
    void* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return static_cast<LineEditor*>(self);
  }

  static unsigned char Cancel(EditLine* editor, int) {
    Of(editor)->cancelled_ = true;
    std::fputs("^C\n", stdout);
    return CC_NEWLINE;
  }

  static unsigned char Suspend(EditLine* editor, int) {
    el_set(editor, EL_PREP_TERM, 0);
    std::raise(SIGTSTP);
    el_set(editor, EL_PREP_TERM, 1);
    return CC_REDISPLAY;
  }

  static unsigned char CompleteWord(EditLine* editor, int) { return Of(editor)->CompleteHere(); }

  unsigned char CompleteHere() {
    const LineInfo* const info = el_line(editor_);
    const absl::string_view line(info->buffer, static_cast<size_t>(info->cursor - info->buffer));
    const Completion completion = Complete(line, &explorer_);
    if (completion.candidates.empty()) return CC_REFRESH_BEEP;
    const std::string typed(line.substr(completion.begin));
    std::string better = CommonBeginning(completion.candidates);
    if (completion.candidates.size() == 1 && completion.ends_word) better += ' ';
    if (better.size() > typed.size()) {
      el_deletestr(editor_, static_cast<int>(TextWidth(typed)));
      el_insertstr(editor_, better.c_str());
      return CC_REFRESH;
    }
    std::fputs("\n", stdout);
    size_t shown = 0;
    for (const std::string& candidate : completion.candidates) {
      if (++shown > kMostShown) break;
      std::fprintf(stdout, "%s\n", candidate.c_str());
    }
    if (shown > kMostShown) std::fprintf(stdout, "and %zu more\n", completion.candidates.size() - kMostShown);
    std::fflush(stdout);
    return CC_REDISPLAY;
  }

  void Remember(const std::string& line) {
    if (line.find_first_not_of(" \t") == std::string::npos) return;
    HistEvent event;
    history(history_, &event, H_ENTER, line.c_str());
    const absl::Status kept = file_.Append(line);
    if (!kept.ok() && !complained_) {
      complained_ = true;
      std::fprintf(stderr, "mallocspy: lines will not be in the history: %s\n", Escaped(kept.message()).c_str());
    }
  }

  Explorer& explorer_;
  const HistoryFile file_;
  EditLine* editor_ = nullptr;
  History* history_ = nullptr;
  bool cancelled_ = false;
  bool complained_ = false;
};

}  // namespace

std::unique_ptr<CommandInput> OpenLineEditor(Explorer* explorer) {
  auto editor = std::make_unique<LineEditor>(explorer);
  return editor->Open() ? std::move(editor) : nullptr;
}

}  // namespace mallocspy
