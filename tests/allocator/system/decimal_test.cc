#include "allocator/system/decimal.h"

#include <gtest/gtest.h>

#include <string>

namespace mallocspy {
namespace {

TEST(Decimal, AllLengths) {
  std::string text(kMostDecimalDigits, '\0');
  for (uint64_t value = 1; value != 0 && value < UINT64_MAX / 10; value *= 10) {
    for (const uint64_t number : {value - 1, value, value + 7}) {
      char* end = AppendDecimal(text.data(), number);
      EXPECT_EQ(text.substr(0, static_cast<size_t>(end - text.data())), std::to_string(number));
    }
  }
  EXPECT_EQ(AppendDecimal(text.data(), UINT64_MAX) - text.data(), static_cast<ptrdiff_t>(kMostDecimalDigits));
  EXPECT_EQ(text, "18446744073709551615");
}

}  // namespace
}  // namespace mallocspy
