#include "tools/live/live_process.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "tools/live/process_files.h"
#include "tools/reader/reader.h"
#include "tools/wording/base_name.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

bool IsCalled(uint32_t pid, const std::string& name) {
  if (ProcessName(pid) == name) return true;
  const std::vector<std::string> arguments = ProcessArguments(pid);
  return !arguments.empty() && BaseName(arguments[0]) == name;
}

std::vector<uint32_t> RecordedOf(const std::string& name) {
  std::vector<uint32_t> pids;
  for (const uint32_t pid : AllProcesses()) {
    if (pid != static_cast<uint32_t>(getpid()) && IsCalled(pid, name) && FindLedger(pid).ok()) pids.push_back(pid);
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

}  // namespace

absl::StatusOr<LiveProcess> LiveProcess::Open(uint32_t pid) {
  const absl::StatusOr<std::string> path = FindLedger(pid);
  if (!path.ok()) return path.status();
  absl::StatusOr<std::unique_ptr<FileSource>> source = FileSource::Open(*path);
  if (!source.ok()) return source.status();
  return LiveProcess(pid, *path, *std::move(source));
}

absl::StatusOr<LiveProcess> LiveProcess::Find(const std::string& word) {
  uint32_t pid = 0;
  if (absl::SimpleAtoi(word, &pid)) return Open(pid);
  const std::vector<uint32_t> pids = RecordedOf(word);
  if (pids.size() == 1) return Open(pids[0]);
  if (!pids.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(pids.size(), " recorded processes are called ", Escaped(word), " (", absl::StrJoin(pids, ", "), "): name one by its number"));
  }
  for (const uint32_t other : AllProcesses()) {
    if (other != static_cast<uint32_t>(getpid()) && IsCalled(other, word)) return FindLedger(other).status();
  }
  return absl::NotFoundError(absl::StrCat("there is no process called ", Escaped(word), "; `mallocspy ps` lists those that can be looked at"));
}

bool LiveProcess::IsNamed(const std::string& word) {
  uint32_t pid = 0;
  return absl::SimpleAtoi(word, &pid) || !RecordedOf(word).empty();
}

bool LiveProcess::alive() const { return IsRunning(pid_); }

absl::StatusOr<Snapshot> LiveProcess::Read() const { return ReadSnapshot(*source_, absl::StrCat("process ", pid_)); }

std::vector<ListedProcess> ListProcesses(size_t* hidden) {
  std::vector<ListedProcess> list;
  *hidden = 0;
  for (const uint32_t pid : AllProcesses()) {
    const absl::StatusOr<LiveProcess> process = LiveProcess::Open(pid);
    if (process.ok()) {
      absl::StatusOr<Snapshot> snapshot = process->Read();
      if (snapshot.ok()) list.push_back({pid, *std::move(snapshot)});
    } else if (process.status().code() == absl::StatusCode::kPermissionDenied) {
      ++*hidden;
    }
  }
  std::sort(list.begin(), list.end(), [](const ListedProcess& a, const ListedProcess& b) { return a.pid < b.pid; });
  return list;
}

}  // namespace mallocspy
