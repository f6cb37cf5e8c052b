#include "tools/command/live_options.h"

#include "tools/command/complaint.h"
#include "tools/verdict/fail_on.h"

namespace mallocspy {

int NoProcess(const absl::Status& status) {
  Complain(status.message());
  return status.code() == absl::StatusCode::kDataLoss ? kExitIncomplete : kExitNoProcess;
}

}  // namespace mallocspy
