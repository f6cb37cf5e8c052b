// Where the server of the page gets its snapshots from.
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "tools/reader/snapshot.h"

namespace mallocspy {

struct HeapSource {
  std::function<absl::StatusOr<Snapshot>()> read;  // a new picture; the error is a sentence
  std::function<bool()> changed;                   // since the last read(); null: always
};

}  // namespace mallocspy
