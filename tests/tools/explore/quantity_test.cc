#include "tools/explore/quantity.h"

#include <gtest/gtest.h>

namespace mallocspy {
namespace {

TEST(Quantity, IsReadAsPeopleWriteIt) {
  EXPECT_EQ(ParseQuantity("0"), 0u);
  EXPECT_EQ(ParseQuantity("4096"), 4096u);
  EXPECT_EQ(ParseQuantity("0x1000"), 4096u);
  EXPECT_EQ(ParseQuantity("4K"), 4096u);
  EXPECT_EQ(ParseQuantity("4k"), 4096u);
  EXPECT_EQ(ParseQuantity("4KiB"), 4096u);
  EXPECT_EQ(ParseQuantity("4kB"), 4096u);
  EXPECT_EQ(ParseQuantity("1.5M"), 1572864u);
  EXPECT_EQ(ParseQuantity("2G"), 2147483648u);
  EXPECT_EQ(ParseQuantity("18446744073709551615"), UINT64_MAX);
  for (const char* const wrong :
       {"", "K", "-1", "+1", "1X", "1.5", "x", "1 K", "0x", "0xg", "1e3", "1.K", ".5K", "18446744073709551616", "99999999999G", "infK"}) {
    EXPECT_FALSE(ParseQuantity(wrong).has_value()) << wrong;
  }
}

TEST(Quantity, AddressesAreHexadecimalOrDecimal) {
  EXPECT_EQ(ParseAddress("0x7fff1000"), 0x7fff1000u);
  EXPECT_EQ(ParseAddress("7fff1000"), 0x7fff1000u);
  EXPECT_EQ(ParseAddress("5000"), 5000u);
  for (const char* const wrong : {"", "0x", "x", "-5", "0x10000000000000000", "99999999999999999999"}) {
    EXPECT_FALSE(ParseAddress(wrong).has_value()) << wrong;
  }
}

TEST(Quantity, HumanSizesAreShort) {
  EXPECT_EQ(HumanSize(0), "");
  EXPECT_EQ(HumanSize(1023), "");
  EXPECT_EQ(HumanSize(1024), "1.0K");
  EXPECT_EQ(HumanSize(1536), "1.5K");
  EXPECT_EQ(HumanSize(1048575), "1.0M");
  EXPECT_EQ(HumanSize(uint64_t{5} << 40), "5.0T");
  EXPECT_EQ(HumanSize(UINT64_MAX), "16384.0P");
}

}  // namespace
}  // namespace mallocspy
