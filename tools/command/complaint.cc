#include "tools/command/complaint.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "tools/report/report_sink.h"
#include "tools/verdict/fail_on.h"

namespace mallocspy {

void Complain(absl::string_view sentence) {
  // There is no other place to complain to if this fails.
  WriteAll(STDERR_FILENO, absl::StrCat("mallocspy: ", sentence, "\n")).IgnoreError();
}

int UsageError(absl::string_view sentence, absl::string_view command) {
  Complain(absl::StrCat(sentence, "; 'mallocspy help", command.empty() ? "" : " ", command, "' tells more"));
  return kExitUsage;
}

}  // namespace mallocspy
