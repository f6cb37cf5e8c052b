// `mallocspy top` on a terminal.
#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tools/live/live_process.h"
#include "tools/live/top_text.h"

namespace mallocspy {

// Shows the process until the user leaves, or the terminal is gone; the process may end meanwhile. The terminal is as before afterwards. The
// error is a sentence: there is no terminal that could show anything.
absl::Status ShowTop(const LiveProcess& process, TopView* view, const TopSelection& selection, absl::Duration interval);

}  // namespace mallocspy
