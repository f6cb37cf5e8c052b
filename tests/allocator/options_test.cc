#include "allocator/options.h"

#include <gmock/gmock.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace mallocspy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

using Problems = std::vector<std::pair<std::string, std::string>>;

Problems Parse(const std::string& text, Options* options) {
  Problems problems;
  ParseOptions(
      text.data(), text.size(), options,
      [](const OptionProblem& problem, void* context) {
        static_cast<Problems*>(context)->emplace_back(std::string(problem.item.data, problem.item.size), problem.reason);
      },
      &problems);
  return problems;
}

std::string Text(OptionText text) { return std::string(text.data, text.size); }

TEST(Options, Defaults) {
  const Options options;
  EXPECT_TRUE(options.report.Is("auto"));
  EXPECT_TRUE(options.follow.Is("all"));
  EXPECT_TRUE(options.record.Is("all"));
  EXPECT_TRUE(options.hook_malloc.Is("auto"));
  EXPECT_TRUE(options.guard);
  EXPECT_EQ(options.stack_depth, 512u);
  EXPECT_EQ(options.keep.size, 0u);
}

TEST(Options, EveryKindIsRead) {
  Options options;
  const std::string text = "guard=0:stack_depth=17:record=task:keep=/var/x%p.mspy";
  EXPECT_THAT(Parse(text, &options), IsEmpty());
  EXPECT_FALSE(options.guard);
  EXPECT_EQ(options.stack_depth, 17u);
  EXPECT_EQ(Text(options.record), "task");
  EXPECT_EQ(Text(options.keep), "/var/x%p.mspy");
}

TEST(Options, MeasuresHaveUnits) {
  Options options;
  EXPECT_THAT(Parse("dump_at_bytes=2G:dump_every=10m:dump_on_growth=20%", &options), IsEmpty());
  EXPECT_EQ(options.dump_at_bytes, uint64_t{2} << 30);
  EXPECT_EQ(options.dump_every, 600u);
  EXPECT_EQ(options.dump_on_growth, 20u);
  EXPECT_THAT(Parse("dump_at_bytes=4096:dump_every=7:dump_on_growth=5", &options), IsEmpty());
  EXPECT_EQ(options.dump_at_bytes, 4096u);
  EXPECT_EQ(options.dump_every, 7u);
  EXPECT_EQ(options.dump_on_growth, 5u);
  EXPECT_THAT(Parse("dump_at_bytes=3m:dump_every=3G:dump_on_growth=%:dump_every=:dump_at_bytes=99999999T:dump_every=366d", &options),
              ElementsAre(Pair("dump_at_bytes=3m", "needs a number"), Pair("dump_every=3G", "needs a number"),
                          Pair("dump_on_growth=%", "needs a number"), Pair("dump_every=", "needs a number"),
                          Pair("dump_at_bytes=99999999T", "is out of range"), Pair("dump_every=366d", "is out of range")));
  EXPECT_EQ(options.dump_every, 7u);
}

TEST(Options, LaterItemWins) {
  Options options;
  EXPECT_THAT(Parse("stack_depth=3:guard=0:stack_depth=4:guard=1", &options), IsEmpty());
  EXPECT_EQ(options.stack_depth, 4u);
  EXPECT_TRUE(options.guard);
}

TEST(Options, EmptyItemsAreNothing) {
  Options options;
  EXPECT_THAT(Parse("", &options), IsEmpty());
  EXPECT_THAT(Parse(":::", &options), IsEmpty());
  EXPECT_THAT(Parse(":guard=0:", &options), IsEmpty());
  EXPECT_FALSE(options.guard);
}

TEST(Options, ReadsNoFurtherThanItsSize) {
  Options options;
  ParseOptions("guard=0garbage", 7, &options, nullptr, nullptr);
  EXPECT_FALSE(options.guard);
  ParseOptions("stack_depth=123", 13, &options, nullptr, nullptr);
  EXPECT_EQ(options.stack_depth, 1u);
}

TEST(Options, ProblemsNameTheItemAndLeaveTheOption) {
  Options options;
  EXPECT_THAT(Parse("gaurd=0", &options), ElementsAre(Pair("gaurd=0", "is not an option")));
  EXPECT_THAT(Parse("guard", &options), ElementsAre(Pair("guard", "has no value")));
  EXPECT_THAT(Parse("=1", &options), ElementsAre(Pair("=1", "is not an option")));
  for (const char* value : {"", "2", "00", "yes", "0 ", "-"}) {
    EXPECT_THAT(Parse(std::string("guard=") + value, &options),
                ElementsAre(Pair(std::string("guard=") + value, "needs 0 or 1")));
  }
  EXPECT_TRUE(options.guard);
  for (const char* value : {"0", "4097", "18446744073709551616", "18446744073709551617", "99999999999999999999999"}) {
    EXPECT_THAT(Parse(std::string("stack_depth=") + value, &options),
                ElementsAre(Pair(std::string("stack_depth=") + value, "is out of range")));
  }
  for (const char* value : {"", "-1", "1x", " 1", "0x10", "1.5"}) {
    EXPECT_THAT(Parse(std::string("stack_depth=") + value, &options),
                ElementsAre(Pair(std::string("stack_depth=") + value, "needs a number")));
  }
  EXPECT_EQ(options.stack_depth, 512u);
  for (const char* value : {"", "al", "alll", "all|none", "ALL", "none "}) {
    EXPECT_THAT(Parse(std::string("follow=") + value, &options),
                ElementsAre(Pair(std::string("follow=") + value, "is not one of its words")));
  }
  EXPECT_TRUE(options.follow.Is("all"));
}

TEST(Options, EveryProblemIsToldAndTheRestIsRead) {
  Options options;
  EXPECT_THAT(Parse("x=1:guard=0:y:stack_depth=9:report=maybe", &options),
              ElementsAre(Pair("x=1", testing::_), Pair("y", testing::_), Pair("report=maybe", testing::_)));
  EXPECT_FALSE(options.guard);
  EXPECT_EQ(options.stack_depth, 9u);
  EXPECT_TRUE(options.report.Is("auto"));
}

TEST(Options, ProblemsMayGoUntold) {
  Options options;
  const char* text = "x=1:guard=0";
  ParseOptions(text, std::strlen(text), &options, nullptr, nullptr);
  EXPECT_FALSE(options.guard);
}

TEST(Options, BoundsOfNumbersAreIncluded) {
  Options options;
  EXPECT_THAT(Parse("stack_depth=1", &options), IsEmpty());
  EXPECT_EQ(options.stack_depth, 1u);
  EXPECT_THAT(Parse("stack_depth=4096", &options), IsEmpty());
  EXPECT_EQ(options.stack_depth, 4096u);
}

TEST(Options, IsComparesWholeWords) {
  const OptionText all{"allx", 3};
  EXPECT_TRUE(all.Is("all"));
  EXPECT_FALSE(all.Is("allx"));
  EXPECT_FALSE(all.Is("al"));
  EXPECT_FALSE(all.Is(""));
}

// The table that makes the help is the one that makes the parser: each row can be given back to it.
TEST(Options, TableRowsParse) {
  size_t count = 0;
  const OptionHelp* table = OptionTable(&count);
  ASSERT_GT(count, 0u);
  for (size_t i = 0; i < count; ++i) {
    Options options;
    const std::string name = table[i].name;
    EXPECT_THAT(Parse(name + "=" + table[i].value, &options), IsEmpty());
    const std::string choices = table[i].choices;
    EXPECT_FALSE(choices.empty()) << name;
    EXPECT_STRNE(table[i].help, "") << name;
    for (size_t at = 0; choices.find('|') != std::string::npos && at != std::string::npos;) {
      const size_t end = choices.find('|', at);
      EXPECT_THAT(Parse(name + "=" + choices.substr(at, end == std::string::npos ? end : end - at), &options), IsEmpty());
      at = end == std::string::npos ? end : end + 1;
    }
  }
}

}  // namespace
}  // namespace mallocspy
