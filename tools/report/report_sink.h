// Where a report goes: standard error, standard output, or a file that is ours to write.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace mallocspy {

// "%p" in a path stands for the pid, "%%" for a percent sign; anything else stays.
std::string ExpandPath(absl::string_view pattern, uint32_t pid);

// Whether a pid stands in it.
bool NamesPid(absl::string_view pattern);

// Writes all of `text` to an open descriptor.
absl::Status WriteAll(int descriptor, absl::string_view text);

// Writes `text` to the file at `path`. A new file is readable by its owner only and is never created through a link; an
// old one is overwritten; /dev/stdout, /dev/stderr and /dev/fd/N are the descriptors themselves, devices and pipes
// are written to. On an error the file may be there in part.
absl::Status WriteReportFile(const std::string& path, absl::string_view text);

// Likewise what `write` writes to the descriptor that it is given.
absl::Status WriteReportFile(const std::string& path, const std::function<absl::Status(int descriptor)>& write);

}  // namespace mallocspy
