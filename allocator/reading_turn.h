// Whose turn it is to hold all events still: the end of the record, a check, a renumbering of marks. One at a time in a process.
#pragma once

namespace mallocspy {

class ReadingTurn {
 public:
  // Waits for its turn; of a thread that has it already (a deadly signal hit it there) the turn is taken over, and of one that does not
  // come to an end for a minute as well. A forked child does not wait for its parent's threads. Never inside an event.
  ReadingTurn();
  ~ReadingTurn();
  ReadingTurn(const ReadingTurn&) = delete;
  ReadingTurn& operator=(const ReadingTurn&) = delete;

  // Whether the calling thread has it: in a signal handler that interrupted it.
  static bool IsHere();

  // This thread had it already: what it was about is left in the middle.
  bool taken_over() const { return taken_over_; }

 private:
  bool taken_over_ = false;
};

}  // namespace mallocspy
