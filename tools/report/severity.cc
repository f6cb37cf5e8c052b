#include "tools/report/severity.h"

namespace mallocspy {

Severity SeverityOf(LeakClass leak_class) {
  switch (leak_class) {
    case LeakClass::kDefinite:
    case LeakClass::kIndirect:
    case LeakClass::kUnknown:
      return Severity::kError;
    case LeakClass::kPossible:
      return Severity::kWarning;
    case LeakClass::kReachable:
      return Severity::kNote;
  }
  return Severity::kError;
}

}  // namespace mallocspy
