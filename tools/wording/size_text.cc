#include "tools/wording/size_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace mallocspy {

std::string SizeText(int64_t number) {
  if (number < 0) return absl::StrCat("-", SizeText(number == INT64_MIN ? INT64_MAX : -number));
  if (number < 1000) return absl::StrCat(number);
  double value = static_cast<double>(number);
  const char* unit = " KMGTPE";
  while (value >= 999.5 && unit[1] != '\0') {
    value /= 1000;
    ++unit;
  }
  return value < 99.95 ? absl::StrFormat("%.1f%c", value, *unit) : absl::StrFormat("%.0f%c", value, *unit);
}

}  // namespace mallocspy
