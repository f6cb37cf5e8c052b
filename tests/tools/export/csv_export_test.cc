#include "tools/export/csv_export.h"

#include <gtest/gtest.h>

namespace mallocspy {
namespace {

TEST(CsvFieldTest, QuotesWhatMustBe) {
  EXPECT_EQ(CsvField("plain text"), "plain text");
  EXPECT_EQ(CsvField(""), "");
  EXPECT_EQ(CsvField("map<int, int>"), "\"map<int, int>\"");
  EXPECT_EQ(CsvField("a\"b\r\nc"), "\"a\"\"b\r\nc\"");
  EXPECT_EQ(CsvField("\xff"), "\xef\xbf\xbd");
}

TEST(CsvFieldTest, IsNoFormula) {
  for (const char* text : {"=1", "+1", "-1", "@x", "\tx"}) EXPECT_EQ(CsvField(text), std::string("'") + text);
  EXPECT_EQ(CsvField("=a,b"), "\"'=a,b\"");
}

}  // namespace
}  // namespace mallocspy
