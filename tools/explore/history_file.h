// The lines that were given to the explorer before, of the user who runs it and for nobody else to read.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace mallocspy {

class HistoryFile {
 public:
  // $XDG_STATE_HOME/mallocspy/history, or that below ~/.local/state; empty if the environment names neither.
  static std::string UsualPath();

  // Nothing is kept if `path` is empty.
  explicit HistoryFile(std::string path) : path_(std::move(path)) {}

  // The last kMostLines, oldest first. A file that grew to twice of that is cut.
  std::vector<std::string> Load() const;
  // Adds a line, and makes the file and its folders if they are not there.
  absl::Status Append(absl::string_view line) const;

  static constexpr size_t kMostLines = 1000;

 private:
  const std::string path_;
};

}  // namespace mallocspy
