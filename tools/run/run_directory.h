// The private directory in which the processes of one run leave their ledgers. Nothing of it stays behind: it is
// removed with this object, and by a handler if a signal ends the command before.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace mallocspy {

class RunDirectory {
 public:
  // Mode 0700, in the first place that works and has some room: $XDG_RUNTIME_DIR, /dev/shm, $TMPDIR, /tmp. At most one
  // exists at a time.
  static absl::StatusOr<RunDirectory> Create();
  ~RunDirectory();
  RunDirectory(RunDirectory&& other) noexcept;
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  const std::string& path() const { return path_; }

  // From now on a signal that would end this command removes the directory first. Signals that are ignored stay so.
  void RemoveOnSignals();

 private:
  explicit RunDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;  // empty after a move
};

}  // namespace mallocspy
