#include "tools/wording/markup.h"

#include <gtest/gtest.h>

namespace mallocspy {
namespace {

TEST(Markup, TextKeepsLinesAndNothingElseThatMeansSomething) {
  EXPECT_EQ(MarkupText("a <b> & \"c\" 'd'\n\x1b\r\xff"),
            "a &lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;\n\\x1b\\x0d\\xff");
  EXPECT_EQ(MarkupText("]]>"), "]]&gt;");
  EXPECT_EQ(MarkupText("\xef\xbf\xbe\xef\xbf\xbf"), "\\u{fffe}\\u{ffff}");
  EXPECT_EQ(MarkupText(""), "");
}

TEST(Markup, AttributesReferToLineFeeds) { EXPECT_EQ(MarkupAttribute("a\n\"b\""), "a&#10;&quot;b&quot;"); }

TEST(Markup, CodeSpansHoldBackticks) {
  EXPECT_EQ(MarkdownCode("f(int*)"), "`f(int*)`");
  EXPECT_EQ(MarkdownCode("a`b"), "``a`b``");
  EXPECT_EQ(MarkdownCode("`"), "`` ` ``");
  EXPECT_EQ(MarkdownCode("``` x"), "```` ``` x ````");
  EXPECT_EQ(MarkdownCode(" x"), "`  x `");
  EXPECT_EQ(MarkdownCode("a\nb"), "`a\\x0ab`");
  EXPECT_EQ(MarkdownCode("a|b"), "`a|b`");
}

TEST(Markup, CellsHoldBars) { EXPECT_EQ(MarkdownCell("a|b||"), "`a\\|b\\|\\|`"); }

}  // namespace
}  // namespace mallocspy
