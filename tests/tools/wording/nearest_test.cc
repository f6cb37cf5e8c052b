#include "tools/wording/nearest.h"

#include <gtest/gtest.h>

namespace mallocspy {
namespace {

TEST(Nearest, EditDistance) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(EditDistance("gaurd", "guard"), 1u);  // neighbours swapped
  EXPECT_EQ(EditDistance("abc", "abc"), 0u);
}

TEST(Nearest, FindsWhatWasMeant) {
  EXPECT_EQ(Nearest("--fromat", {"--output", "--format"}), "--format");
  EXPECT_EQ(Nearest("def", {"any", "definite"}), "definite");
  EXPECT_EQ(DidYouMean("jsn", {"text", "json"}), " (did you mean 'json'?)");
}

TEST(Nearest, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(Nearest("zzzzzz", {"text", "json"}), "");
  EXPECT_EQ(Nearest("x", {"run", "report"}), "");
  EXPECT_EQ(DidYouMean("", {"text"}), "");
  EXPECT_EQ(Nearest(std::string(100000, 'a'), {"text"}), "");
}

TEST(Nearest, NotAmongEscapesWhatItQuotes) {
  EXPECT_EQ(NotAmong("--format", "\x1b", {"text", "json"}), "--format: '\\x1b' is not one of text, json");
}

}  // namespace
}  // namespace mallocspy
