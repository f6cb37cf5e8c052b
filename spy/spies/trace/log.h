// The trace's file: of limited size, behind a buffer, one for each process.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <atomic>

#include "spy/spies/line.h"
#include "spy/spies/trace/settings.h"
#include "spy/spies/system.h"

namespace mallocspy::spies::trace {

enum class Event { kAlloc, kRealloc, kFree, kGetSize, kDidAlloc, kMinimize };

// One call of the program; which members count depends on the event.
struct Call {
  Event event;
  bool spied;
  const void* caller;  // return address, null if not known
  const void* pointer;
  uint64_t bytes;
  const void* result;
  int64_t answer;
};

// Record comes from one thread at a time, Finish and Close from any. In a forked child the first Record begins a file
// of the child's own; what the parent had in its buffer is the parent's to write.
class Log {
 public:
  constexpr Log() = default;
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // The file is there afterwards. Else a line on standard error says why not.
  bool Open(const Settings& settings);
  void Record(const Call& call);
  // Writes the total and all that waits. Calls may still come (from destructors): each is written at once then.
  void Finish();
  // Finishes, closes the file, gives the buffer back. Nothing is recorded any more.
  void Close();

 private:
  // Zeros in a forked child, if the kernel can do that: no process, and nobody holds the lock.
  struct Process {
    std::atomic<uint32_t> pid;
    std::atomic<bool> locked;
  };
  class Locked;

  bool IsNewProcess() const;
  // These under the lock.
  bool BeginProcess();
  bool CreateFile();
  void MakeFileAbsolute();
  void FinishLocked();
  void AppendLine();
  void Flush();
  void Send(const char* data, size_t bytes);
  void SayLine();
  void FormatText(const Call& call);
  void FormatJson(const Call& call);
  uint32_t ThreadId() const;
  const char* ModuleName(const system::CodePlace& place) const;

  Settings settings_;
  Process* process_ = nullptr;
  bool wiped_on_fork_ = false;
  int fd_ = -1;  // negative: the log ended, or never began
  system::FileId file_id_ = {};
  char program_[system::kPathBytes] = {};
  char path_[system::kPathBytes + 32] = {};
  Line line_;
  char* buffer_ = nullptr;
  size_t buffered_ = 0;
  uint64_t file_bytes_ = 0;  // written or in the buffer
  uint64_t calls_ = 0;
  uint64_t lines_ = 0;  // calls that have a line
  bool full_ = false;
  bool finished_ = false;
};

}  // namespace mallocspy::spies::trace
