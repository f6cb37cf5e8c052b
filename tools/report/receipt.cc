#include "tools/report/receipt.h"

#include "absl/strings/str_cat.h"
#include "tools/wording/count.h"
#include "tools/wording/escape.h"

namespace mallocspy {

void AppendReceipt(const Findings& findings, const Palette& palette, std::string* text) {
  const Totals& totals = findings.totals;
  const auto line = [text](uint64_t number, absl::string_view noun, absl::string_view rest) {
    if (number != 0) absl::StrAppend(text, "  ", Count(number, noun), rest, "\n");
  };
  absl::StrAppend(text, palette.faint, "Receipt of pid ", findings.process.pid, ":\n");
  line(totals.allocations, "allocation", absl::StrCat(" of ", Count(totals.allocated_bytes, "byte")));
  line(totals.frees, "free", "");
  line(totals.peak_bytes, "byte", " at the peak");
  line(totals.stacks, "stack", "");
  line(totals.truncated, "allocation", " with a truncated stack (see stack_depth in MALLOCSPY_OPTIONS)");
  line(totals.foreign_frees, "foreign free", " (of blocks that are not ours, passed on)");
  line(totals.inherited_frees, "inherited free", " (of blocks made before the fork)");
  line(totals.bypassed, "allocation", " not recorded (made inside the recorder, as by a signal handler)");
  line(totals.errors_dropped, "heap error", " dropped: only their number is known");
  if (totals.allocations == 0) absl::StrAppend(text, "  no allocations\n");
  for (const std::string& sentence : findings.process.degraded) {
    absl::StrAppend(text, "  degraded: ", Escaped(sentence), "\n");
  }
  absl::StrAppend(text, palette.reset);
}

}  // namespace mallocspy
