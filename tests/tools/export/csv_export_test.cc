#include "tools/export/csv_export.h"

#include <gtest/gtest.h>

namespace mallocspy {
namespace {

TEST(CsvFieldTest, QuotesWhatMustBe) {
  EXPECT_EQ(CsvField("plain text"), "plain text");
  EXPECT_EQ(CsvField(""), "");
  EXPECT_EQ(CsvField("map<int, int>"), "\"map<int, int>\"");
  EXPECT_EQ(CsvField("a\"b"), "\"a\"\"b\"");
}

TEST(CsvFieldTest, IsSafeForATerminal) {
  EXPECT_EQ(CsvField("a\r\nb\x1b[31m"), "a\\x0d\\x0ab\\x1b[31m");
  EXPECT_EQ(CsvField("\xff"), "\\xff");
}

TEST(CsvFieldTest, IsNoFormula) {
  for (const char* text : {"=1", "+1", "-1", "@x"}) EXPECT_EQ(CsvField(text), std::string("'") + text);
  EXPECT_EQ(CsvField("=a,b"), "\"'=a,b\"");
}

}  // namespace
}  // namespace mallocspy
