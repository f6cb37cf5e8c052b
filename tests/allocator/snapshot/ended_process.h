// Runs a body in a process of its own whose ledger is shared, and reads what is left of it.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>

#include "tests/allocator/fresh_process.h"
#include "tests/scratch_directory.h"
#include "tools/reader/reader.h"

namespace mallocspy {

struct EndedProcess {
  int status;  // as wait() has it
  Snapshot snapshot;
};

// `body` runs in a process that `mallocspy run` seems to have started. What fails in it fails the test, unless it does not return.
inline EndedProcess RunRecorded(const std::function<void()>& body, const char* options = nullptr) {
  ScratchDirectory directory;
  EndedProcess ended;
  ended.status = StatusOfFreshProcess([&] {
    SetOptions(options);
    SetInitialEnvironment("MALLOCSPY_RUN", directory.path());
    body();
  });
  int ledgers = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    ++ledgers;
    absl::StatusOr<Snapshot> snapshot = ReadSnapshotFile(entry.path());
    if (snapshot.ok()) {
      ended.snapshot = *std::move(snapshot);
    } else {
      ADD_FAILURE() << snapshot.status();
    }
  }
  EXPECT_EQ(ledgers, 1);
  EXPECT_EQ(ended.snapshot.damaged_records, 0u);
  return ended;
}

}  // namespace mallocspy
