// What the commands about running processes have in common.
#pragma once

#include "absl/status/status.h"

namespace mallocspy {

inline constexpr int kExitNoProcess = 27;  // no such process, not ours to look at, not recorded, or it does not answer

inline constexpr char kLiveExitStatus[] =
    "\n"
    "exit status:\n"
    "  27  there is no such process, it is somebody else's, it is not recorded, or it does not answer\n"
    "  25  the result could not be written\n"
    "   2  the command line is wrong\n"
    "   0  none of these\n";

// Says why on standard error. The exit status.
int NoProcess(const absl::Status& status);

}  // namespace mallocspy
