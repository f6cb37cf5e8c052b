// Asks a recorded process for something, by the slot in its ledger and a signal (ledger::RequestSlot).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "allocator/ledger/format.h"
#include "tools/live/live_process.h"

namespace mallocspy {

// What a dump has beside stacks and blocks; `bytes` only with the graph.
struct DumpContent {
  bool graph = false;  // what points to what
  ledger::Contents bytes = ledger::Contents::kNone;
};

// One request. The slot is ours from Make() to the end of this object.
class LiveRequest {
 public:
  // The error is a sentence: the process takes no requests, another one asks it just now, it is somebody else's.
  static absl::StatusOr<std::unique_ptr<LiveRequest>> Make(const LiveProcess& process);
  ~LiveRequest();
  LiveRequest(const LiveRequest&) = delete;
  LiveRequest& operator=(const LiveRequest&) = delete;

  // Asks, and waits until it is done; `name` is cut off where the slot ends. The error is a sentence.
  absl::Status Ask(ledger::RequestSlot::Kind kind, const std::string& name, DumpContent content = {});

  // What came of it.
  uint64_t number() const { return slot_->number; }
  uint32_t copy() const { return slot_->copy.load(std::memory_order_relaxed); }
  uint32_t descriptor() const { return slot_->fd; }
  uint32_t unanswered() const { return slot_->unanswered; }
  absl::Duration Pause() const;

  // A copy may have begun its work before the process itself goes on, and says what is above.
  void AwaitProcess() const;

 private:
  LiveRequest(uint32_t pid, int pid_descriptor, void* map);
  absl::Status Signal();
  bool CopyIsGone() const;
  absl::Status Failed(uint32_t error) const;
  std::string ProcessText() const;

  const uint32_t pid_;
  const int pid_descriptor_;  // -1 where the kernel has none
  void* const map_;
  ledger::RequestSlot* const slot_;
};

}  // namespace mallocspy
