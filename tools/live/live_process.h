// A running process with a record, and its ledger as it is at any moment. Only reads: the process is neither stopped nor signalled.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/reader/byte_source.h"
#include "tools/reader/snapshot.h"

namespace mallocspy {

class LiveProcess {
 public:
  // `word`: a process ID, or the name of the one recorded process that is called so. The error is a sentence.
  static absl::StatusOr<LiveProcess> Find(const std::string& word);
  static absl::StatusOr<LiveProcess> Open(uint32_t pid);

  // Whether `word` could name a process: a number, or the name of a recorded one.
  static bool IsNamed(const std::string& word);

  uint32_t pid() const { return pid_; }
  const std::string& ledger() const { return ledger_; }  // a path by which it can be opened
  bool alive() const;

  // As it is now. Also of one that ended since it was opened.
  absl::StatusOr<Snapshot> Read() const;

 private:
  LiveProcess(uint32_t pid, std::string ledger, std::shared_ptr<FileSource> source)
      : pid_(pid), ledger_(std::move(ledger)), source_(std::move(source)) {}

  uint32_t pid_;
  std::string ledger_;
  std::shared_ptr<FileSource> source_;
};

// All recorded processes that we may look at, by ID; how many there may be that we may not is in `hidden`.
struct ListedProcess {
  uint32_t pid = 0;
  Snapshot snapshot;
};
std::vector<ListedProcess> ListProcesses(size_t* hidden);

}  // namespace mallocspy
