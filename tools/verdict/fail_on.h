// Which findings make the command fail (--fail-on), and with which exit status.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/verdict/findings.h"

namespace mallocspy {

inline constexpr int kExitClean = 0;
inline constexpr int kExitUsage = 2;        // the command line cannot be carried out: wrong, or of no snapshot
inline constexpr int kExitLeaks = 23;       // LeakSanitizer's
inline constexpr int kExitErrors = 24;      // heap errors; they win over leaks
inline constexpr int kExitIncomplete = 25;  // the check did not run, or not whole, or its report could not be written
inline constexpr int kExitStale = 26;       // a suppression is unused, expired or exceeded (--strict-suppressions)

// Default: errors and definite leaks.
class FailOn {
 public:
  // From a list "errors,definite"; "none" stands alone. The error says what is wrong and what was meant.
  static absl::StatusOr<FailOn> Parse(absl::string_view list);

  bool none() const { return none_; }
  bool errors() const { return errors_; }
  bool Includes(LeakClass leak_class) const;

  // The status for `findings` and its children: errors before leaks before incomplete.
  int ExitStatus(const Findings& findings) const;

 private:
  // Whether blocks of class unknown leave a question that this list asks.
  bool Undecided(const Findings& findings) const;

  bool none_ = false;
  bool any_ = false;
  bool definite_ = true;
  bool possible_ = false;
  bool reachable_ = false;
  bool errors_ = true;
};

}  // namespace mallocspy
