#include "tools/verdict/public_name.h"

#include "absl/strings/strip.h"

namespace mallocspy {

absl::string_view PublicName(absl::string_view function) {
  absl::ConsumePrefix(&function, kInsideLibc);
  while (absl::ConsumePrefix(&function, "_")) continue;
  return function;
}

}  // namespace mallocspy
