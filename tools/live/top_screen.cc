#include "tools/live/top_screen.h"

#include <locale.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cwchar>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "tools/live/live_dump.h"
#include "tools/live/live_request.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"
#include "tools/wording/size_text.h"

namespace mallocspy {
namespace {

constexpr int kHeadLines = 4;
constexpr int kFootLines = 1;
constexpr char kKeys[] = "q quit  s sort  / filter  Enter stack  m growth from now  M mark  d dump  p pause  ? keys";
constexpr const char* kHelp[] = {
    "up, down, PgUp, PgDn, Home, End   choose a stack",
    "Enter, right, left                show or hide its frames",
    "s                                 sort by bytes, blocks, growth, rate, in turn",
    "/                                 only stacks with this in a function or module",
    "m                                 count growth from now on",
    "M                                 begin a mark in the process, by a name",
    "d                                 write a dump of the process",
    "p, space                          pause, and go on",
    "q                                 quit",
    "",
    "Reading does not disturb the process; a mark and a dump stop it for a moment.",
};

std::wstring Wide(const std::string& text) {
  std::wstring wide(text.size() + 1, L'\0');
  const char* at = text.c_str();
  std::mbstate_t state = {};
  const size_t length = std::mbsrtowcs(wide.data(), &at, wide.size(), &state);
  if (length == static_cast<size_t>(-1)) return std::wstring(text.begin(), text.end());
  wide.resize(length);
  return wide;
}

// `text` in columns [x, x + width) of a line, cut off.
void Put(int y, int x, int width, const std::string& text) {
  if (width <= 0) return;
  const std::wstring wide = Wide(text);
  int columns = 0;
  size_t length = 0;
  for (; length < wide.size(); ++length) {
    const int one = std::max(0, wcwidth(wide[length]));
    if (columns + one > width) break;
    columns += one;
  }
  mvaddnwstr(y, x, wide.c_str(), static_cast<int>(length));
}

// Restores the terminal whatever happens.
class Terminal {
 public:
  Terminal() {
    if (setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1) setlocale(LC_CTYPE, "C.UTF-8");
    screen_ = newterm(nullptr, stdout, stdin);
    if (screen_ == nullptr) return;
    set_term(screen_);
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    curs_set(0);
    set_escdelay(25);
  }
  ~Terminal() {
    if (screen_ == nullptr) return;
    endwin();
    delscreen(screen_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  bool good() const { return screen_ != nullptr; }

 private:
  SCREEN* screen_;
};

// SIGINT and its like, as something that can be waited for.
class Endings {
 public:
  Endings() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, &before_);
    descriptor_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  ~Endings() {
    close(descriptor_);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  Endings(const Endings&) = delete;
  Endings& operator=(const Endings&) = delete;
  int descriptor() const { return descriptor_; }
  // Whether one came, which then is over: it must not come again when this object goes.
  bool Take() {
    signalfd_siginfo info;
    return read(descriptor_, &info, sizeof(info)) == sizeof(info);
  }

 private:
  sigset_t before_;
  int descriptor_;
};

class Screen {
 public:
  Screen(const LiveProcess& process, TopView* view, const TopSelection& selection, absl::Duration interval)
      : process_(process), view_(*view), selection_(selection), interval_(interval) {}

  void Run() {
    Arrange();
    for (absl::Time next = absl::Now() + interval_; going_;) {
      Draw();
      Wait(next - absl::Now());
      if (absl::Now() < next) continue;
      if (!paused_) Read();
      next = absl::Now() + interval_;
    }
  }

 private:
  struct Line {
    size_t row;
    int frame;  // -1: the row itself
  };

  void Read() {
    if (ended_) return;
    absl::StatusOr<Snapshot> snapshot = process_.Read();
    if (snapshot.ok()) view_.Add(*std::move(snapshot), absl::Now());
    if (!snapshot.ok()) message_ = Escaped(std::string(snapshot.status().message()));
    if (!process_.alive()) {
      ended_ = true;
      message_ = "the process has ended; this is what it held";
    }
    Arrange();
  }

  // Rows and, of the open ones, their frames.
  void Arrange() {
    const uint32_t chosen = chosen_ < lines_.size() ? rows_[lines_[chosen_].row].stack : UINT32_MAX;
    const int frame = chosen_ < lines_.size() ? lines_[chosen_].frame : -1;
    rows_ = view_.Rows(selection_.sort, selection_.filter);
    lines_.clear();
    for (size_t i = 0; i < rows_.size(); ++i) {
      lines_.push_back({i, -1});
      if (!open_.contains(rows_[i].stack)) continue;
      const size_t frames = view_.FramesOf(rows_[i].stack).size();
      for (size_t f = 0; f < frames; ++f) lines_.push_back({i, static_cast<int>(f)});
    }
    // What was chosen stays so, wherever it is now; at the top, the top does.
    if (chosen_ == 0) return;
    for (size_t i = 0; i < lines_.size(); ++i) {
      if (rows_[lines_[i].row].stack == chosen && lines_[i].frame == frame) {
        chosen_ = i;
        return;
      }
    }
    chosen_ = std::min(chosen_, lines_.empty() ? 0 : lines_.size() - 1);
  }

  std::string Status() const {
    std::string text = absl::StrCat("by ", NameOf(selection_.sort));
    if (!selection_.filter.empty()) absl::StrAppend(&text, ", only '", Escaped(selection_.filter), "'");
    absl::StrAppend(&text, ", ", Count(rows_.size(), "stack"), ", growth since ",
                    absl::FormatTime("%H:%M:%S", view_.baseline_time(), absl::LocalTimeZone()));
    if (paused_) absl::StrAppend(&text, ", PAUSED");
    return text;
  }

  std::string Rates() const {
    const TopTotals& totals = view_.totals();
    if (!totals.allocations_per_second.has_value()) return Count(totals.allocations, "allocation");
    return absl::StrFormat("%s allocations/s, %s frees/s, grown %s", SizeText(static_cast<int64_t>(*totals.allocations_per_second)),
                           SizeText(static_cast<int64_t>(*totals.frees_per_second)), SizeText(totals.grown_bytes));
  }

  void Draw() {
    erase();
    const int height = getmaxy(stdscr), width = getmaxx(stdscr);
    attron(A_BOLD);
    Put(0, 0, width, TopHeading(view_, process_.pid()));
    attroff(A_BOLD);
    Put(1, 0, width, Rates());
    Put(2, 0, width, Status());
    attron(A_REVERSE);
    mvhline(3, 0, ' ', width);
    Put(3, 0, width, absl::StrFormat("%8s %8s %8s %8s  %s", "bytes", "blocks", "growth", "alloc/s", "stack"));
    attroff(A_REVERSE);
    const int room = std::max(0, height - kHeadLines - kFootLines);
    if (help_) {
      for (size_t i = 0; i < std::size(kHelp) && static_cast<int>(i) < room; ++i) Put(kHeadLines + static_cast<int>(i), 2, width - 2, kHelp[i]);
    } else {
      DrawLines(room, width);
    }
    Put(height - 1, 0, width - 1, !message_.empty() ? message_ : kKeys);
    refresh();
  }

  void DrawLines(int room, int width) {
    if (room == 0) return;
    if (chosen_ < first_) first_ = chosen_;
    if (chosen_ >= first_ + static_cast<size_t>(room)) first_ = chosen_ - static_cast<size_t>(room) + 1;
    if (lines_.empty()) Put(kHeadLines, 2, width - 2, selection_.filter.empty() ? "nothing was allocated yet" : "no stack contains that");
    for (size_t i = first_; i < lines_.size() && i < first_ + static_cast<size_t>(room); ++i) {
      const int y = kHeadLines + static_cast<int>(i - first_);
      const TopRow& row = rows_[lines_[i].row];
      if (i == chosen_) attron(A_STANDOUT);
      if (lines_[i].frame < 0) {
        Put(y, 0, width,
            absl::StrFormat("%8s %8s %8s %8s  %s %s", SizeText(static_cast<int64_t>(row.live_bytes)), SizeText(static_cast<int64_t>(row.live_blocks)),
                            SizeText(row.grown_bytes), SizeText(static_cast<int64_t>(row.allocations_per_second)),
                            open_.contains(row.stack) ? "-" : "+", Escaped(view_.Label(row.stack))));
      } else {
        const Frame& frame = view_.FramesOf(row.stack)[static_cast<size_t>(lines_[i].frame)];
        std::string text = frame.function.empty() ? absl::StrCat(frame.module, "+0x", absl::Hex(frame.offset)) : frame.function;
        if (!frame.file.empty()) absl::StrAppend(&text, "  ", frame.file, ":", frame.line);
        Put(y, 0, width, absl::StrCat(std::string(38, ' '), "#", lines_[i].frame, " ", Escaped(text)));
      }
      if (i == chosen_) attroff(A_STANDOUT);
    }
  }

  void Wait(absl::Duration longest) {
    pollfd what[] = {{STDIN_FILENO, POLLIN, 0}, {endings_.descriptor(), POLLIN, 0}};
    const int ready = poll(what, 2, static_cast<int>(std::max<int64_t>(0, absl::ToInt64Milliseconds(longest) + 1)));
    if (ready < 0) return;
    if (endings_.Take() || (what[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) going_ = false;
    for (int key; going_ && (key = getch()) != ERR;) Press(key);
  }

  void Press(int key) {
    message_.clear();
    const size_t last = lines_.empty() ? 0 : lines_.size() - 1;
    const size_t page = static_cast<size_t>(std::max(1, getmaxy(stdscr) - kHeadLines - kFootLines));
    if (help_ && key != 'q' && key != KEY_RESIZE) {
      help_ = false;
      return;
    }
    switch (key) {
      case 'q':
      case 3:  // Ctrl-C where it is no signal
        going_ = false;
        return;
      case KEY_UP:
      case 'k':
        if (chosen_ > 0) --chosen_;
        return;
      case KEY_DOWN:
      case 'j':
        chosen_ = std::min(chosen_ + 1, last);
        return;
      case KEY_PPAGE:
        chosen_ -= std::min(chosen_, page);
        return;
      case KEY_NPAGE:
        chosen_ = std::min(chosen_ + page, last);
        return;
      case KEY_HOME:
        chosen_ = 0;
        return;
      case KEY_END:
        chosen_ = last;
        return;
      case '\n':
      case KEY_ENTER:
      case KEY_RIGHT:
      case KEY_LEFT:
        return Toggle(key);
      case 's':
        selection_.sort = kTopSorts[(static_cast<size_t>(selection_.sort) + 1) % std::size(kTopSorts)];
        return Arrange();
      case '/':
        selection_.filter = Ask("only stacks with: ");
        chosen_ = 0;
        return Arrange();
      case 'm':
        view_.SetBaseline();
        return Arrange();
      case 'M':
        return Mark();
      case 'd':
        return Dump();
      case 'p':
      case ' ':
        paused_ = !paused_;
        return;
      case '?':
      case 'h':
        help_ = true;
        return;
      case KEY_RESIZE:
        return;
      default:
        message_ = absl::StrCat("no such key; ", kKeys);
    }
  }

  void Toggle(int key) {
    if (lines_.empty()) return;
    const uint32_t stack = rows_[lines_[chosen_].row].stack;
    const bool open = open_.contains(stack);
    if (key == KEY_LEFT || (open && key != KEY_RIGHT)) {
      open_.erase(stack);
      while (chosen_ > 0 && lines_[chosen_].frame >= 0) --chosen_;
    } else {
      open_.insert(stack);
    }
    const size_t chosen = chosen_;
    Arrange();
    chosen_ = std::min(chosen, lines_.empty() ? 0 : lines_.size() - 1);
  }

  // A line of text from the user; empty if they think better of it.
  std::string Ask(const std::string& prompt) {
    const int y = getmaxy(stdscr) - 1;
    char text[256] = "";
    move(y, 0);
    clrtoeol();
    Put(y, 0, getmaxx(stdscr), prompt);
    echo();
    curs_set(1);
    nodelay(stdscr, FALSE);
    getnstr(text, sizeof(text) - 1);
    nodelay(stdscr, TRUE);
    curs_set(0);
    noecho();
    return text;
  }

  void Mark() {
    const std::string name = Ask("name of the mark: ");
    if (name.empty()) return;
    const absl::StatusOr<std::unique_ptr<LiveRequest>> request = LiveRequest::Make(process_);
    absl::Status status = request.status();
    if (status.ok()) status = (*request)->Ask(ledger::RequestSlot::kMark, name);
    message_ = status.ok() ? absl::StrCat("mark ", (*request)->number(), " begins: ", Escaped(name)) : std::string(status.message());
  }

  void Dump() {
    const std::string path = Ask("write a dump to: ");
    if (path.empty()) return;
    const absl::StatusOr<DumpTaken> taken = TakeDump(process_, path, {true});
    message_ = taken.ok() ? absl::StrCat("wrote ", Escaped(path), ", ", SizeText(static_cast<int64_t>(taken->bytes)), "; the process stood still for ",
                                         absl::StrFormat("%.1f ms", absl::ToDoubleMilliseconds(taken->pause)))
                          : std::string(taken.status().message());
  }

  const LiveProcess& process_;
  TopView& view_;
  TopSelection selection_;
  const absl::Duration interval_;
  Endings endings_;
  std::vector<TopRow> rows_;
  std::vector<Line> lines_;
  std::set<uint32_t> open_;  // stacks whose frames are shown
  size_t chosen_ = 0;        // of the lines
  size_t first_ = 0;         // that is shown
  std::string message_;
  bool going_ = true;
  bool paused_ = false;
  bool help_ = false;
  bool ended_ = false;
};

}  // namespace

absl::Status ShowTop(const LiveProcess& process, TopView* view, const TopSelection& selection, absl::Duration interval) {
  const Terminal terminal;
  if (!terminal.good()) {
    return absl::FailedPreconditionError("this terminal cannot show a screen (is TERM set?); --once prints what it would show");
  }
  Screen(process, view, selection, interval).Run();
  return absl::OkStatus();
}

}  // namespace mallocspy
