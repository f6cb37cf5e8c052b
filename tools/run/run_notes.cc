#include "tools/run/run_notes.h"

#include <unistd.h>

#include <climits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/run/directory_listing.h"

namespace mallocspy {
namespace {

std::string LinkTarget(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t length = readlink(path.c_str(), target, sizeof(target));
  return length > 0 ? std::string(target, static_cast<size_t>(length)) : "(unknown)";
}

}  // namespace

RunNotes ListRunNotes(const std::string& directory) {
  RunNotes notes;
  for (const std::string& file : ListDirectory(directory)) {
    const absl::string_view name = file;
    const absl::string_view number = name.substr(0, name.find('.'));
    const absl::string_view kind = name.substr(number.size());
    uint32_t pid;
    if (!absl::SimpleAtoi(number, &pid)) continue;
    const std::string target = LinkTarget(absl::StrCat(directory, "/", file));
    if (kind == ".forked") {
      notes[pid];
    } else if (kind == ".spawned") {
      notes[pid].spawned = true;
      notes[pid].program = target;
    } else if (kind == ".elsewhere") {
      notes[pid].elsewhere = true;
      notes[pid].program = target;
    } else if (kind == ".unrecorded") {
      notes[pid].obstacle = target;
    }
  }
  return notes;
}

}  // namespace mallocspy
