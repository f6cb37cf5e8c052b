// What /proc tells about a process, as far as its ledger is concerned.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace mallocspy {

// "/proc/12/fd"
std::string ProcPath(uint32_t pid, const std::string& name);

// All of a file there; empty if it cannot be read.
std::string ReadProcFile(uint32_t pid, const std::string& name);

// As the kernel has it (15 bytes at most); empty if there is no such process.
std::string ProcessName(uint32_t pid);
// Its arguments; empty for a zombie.
std::vector<std::string> ProcessArguments(uint32_t pid);

// Its ID in the innermost namespace that it is in, which it has in its own eyes.
uint32_t PidInside(uint32_t pid);
// The process that has ID `inside` in the namespace of `pid`, as we see it.
std::optional<uint32_t> PidOutside(uint32_t pid, uint32_t inside);

// Whether it has a handler of that signal.
bool CatchesSignal(uint32_t pid, uint32_t signal);

// Whether it is there and has not ended: no zombie.
bool IsRunning(uint32_t pid);

std::vector<uint32_t> AllProcesses();

// A sentence for what `error` means of that process: gone, somebody else's, ...
absl::Status ProcessError(uint32_t pid, int error);

// A path by which the ledger of a running process can be opened. The error is a sentence: there is no such process, it is not
// permitted, it runs without libmallocspy, it shows no ledger.
absl::StatusOr<std::string> FindLedger(uint32_t pid);

}  // namespace mallocspy
