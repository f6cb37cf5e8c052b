#include "tools/explore/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/explore/sample_heap.h"
#include "tools/reader/reader.h"

namespace mallocspy {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class CompletionTest : public ::testing::Test {
 protected:
  CompletionTest()
      : bytes_(SampleHeap().Bytes()),
        heap_(*ReadSnapshot(MemorySource(bytes_), "x"), false),
        explorer_(&heap_, TableFormat::kTable, 0, [](absl::string_view) { return true; }) {
    EXPECT_TRUE(explorer_.ExecuteLine("let lost = blocks reach=definite").ok());
  }
  std::vector<std::string> Candidates(const std::string& line) { return Complete(line, &explorer_).candidates; }

  const std::string bytes_;
  ExploredHeap heap_;
  Explorer explorer_;
};

TEST_F(CompletionTest, OffersCommandsAndSetsFirst) {
  EXPECT_THAT(Candidates("s"), ElementsAre("sets", "show", "stacks", "summary"));
  EXPECT_THAT(Candidates("l"), ElementsAre("leaks", "let", "lost"));
  EXPECT_THAT(Candidates("nothing"), IsEmpty());
  EXPECT_THAT(Candidates(""), Contains("blocks"));
}

TEST_F(CompletionTest, OffersWhatTheCommandTakes) {
  EXPECT_THAT(Candidates("blocks si"), ElementsAre("size>="));
  EXPECT_FALSE(Complete("blocks si", &explorer_).ends_word);
  EXPECT_THAT(Candidates("blocks t"), ElementsAre("thread=", "top", "type="));
  EXPECT_THAT(Candidates("roots t"), ElementsAre("top"));
  EXPECT_THAT(Candidates("blocks as "), ElementsAre("csv", "json", "table"));
  EXPECT_THAT(Candidates("stacks sort b"), ElementsAre("blocks", "bytes"));
  EXPECT_THAT(Candidates("blocks in "), ElementsAre("lost"));
  EXPECT_THAT(Candidates("help fi"), ElementsAre("filters"));
  EXPECT_THAT(Candidates("let a = b"), ElementsAre("blocks"));
  EXPECT_THAT(Candidates("let a = blocks rea"), ElementsAre("reach="));
  EXPECT_THAT(Candidates("blocks top "), IsEmpty());
}

TEST_F(CompletionTest, OffersValuesOfFilters) {
  EXPECT_THAT(Candidates("blocks reach=re"), ElementsAre("reachable"));
  EXPECT_THAT(Candidates("blocks door!=new["), ElementsAre("new[]"));
  EXPECT_THAT(Candidates("blocks mark=w"), ElementsAre("worker"));
  EXPECT_THAT(Candidates("blocks module=lib"), ElementsAre("libcargo.so.1"));
  EXPECT_THAT(Candidates("blocks function=depot::L"), ElementsAre("depot::LoadEntries", "depot::LoseTrack"));
  EXPECT_THAT(Candidates("types class=depot::"), ElementsAre("depot::Cache", "depot::Entry", "depot::Session"));
  const Completion quoted = Complete("types class='(std::l", &explorer_);
  EXPECT_THAT(quoted.candidates, ElementsAre("'(std::list node)'"));
  EXPECT_EQ(quoted.begin, 12u);
  EXPECT_THAT(Candidates("types class=(std::l"), ElementsAre("'(std::list node)'"));
}

TEST(Completion, CommonBeginning) {
  EXPECT_EQ(CommonBeginning({"stacks", "static"}), "sta");
  EXPECT_EQ(CommonBeginning({"a"}), "a");
  EXPECT_EQ(CommonBeginning({"a", "b"}), "");
  EXPECT_EQ(CommonBeginning({}), "");
}

}  // namespace
}  // namespace mallocspy
