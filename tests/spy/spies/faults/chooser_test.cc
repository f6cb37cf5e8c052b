#include "spy/spies/faults/chooser.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace mallocspy::spies::faults {
namespace {

class Calls {
 public:
  explicit Calls(const char* args) : chooser_(std::make_unique<Chooser>()) {
    Settings settings;
    EXPECT_TRUE(ParseSettings(args, &settings));
    EXPECT_TRUE(chooser_->Start(settings));
  }

  bool Ask(size_t bytes, uint32_t stack = 1, uint64_t mark = 1) {
    const mallocspy_frame frame = FrameOf(stack);
    return chooser_->Fails({bytes, mark, stack, &frame, 1});
  }
  // Which of so many calls fail, counted from 1.
  std::vector<int> Failing(int calls) {
    std::vector<int> failing;
    for (int i = 1; i <= calls; ++i) {
      if (Ask(8)) failing.push_back(i);
    }
    return failing;
  }
  static mallocspy_frame FrameOf(uint32_t stack) { return {nullptr, "/no/such/module", 15, stack}; }

 private:
  std::unique_ptr<Chooser> chooser_;
};

using Numbers = std::vector<int>;

TEST(FaultChooser, ByCount) {
  EXPECT_EQ((Numbers{3}), Calls("nth=3").Failing(10));
  EXPECT_EQ((Numbers{4, 8}), Calls("every=4").Failing(10));
  EXPECT_EQ((Numbers{3, 4, 8}), Calls("every=4,nth=3").Failing(10));
  EXPECT_EQ((Numbers{4}), Calls("every=4,limit=1").Failing(10));
  EXPECT_EQ((Numbers{1, 2}), Calls("limit=2").Failing(10));
}

TEST(FaultChooser, ByProbabilityFromTheSeed) {
  const Numbers some = Calls("probability=0.5,seed=7").Failing(1000);
  EXPECT_EQ(some, Calls("probability=0.5,seed=7").Failing(1000));
  EXPECT_NE(some, Calls("probability=0.5,seed=8").Failing(1000));
  EXPECT_NEAR(500, static_cast<double>(some.size()), 100);
  EXPECT_EQ(0u, Calls("probability=0").Failing(1000).size());
  EXPECT_EQ(1000u, Calls("probability=1").Failing(1000).size());
}

TEST(FaultChooser, BySize) {
  Calls calls("above=100");
  EXPECT_FALSE(calls.Ask(100));
  EXPECT_TRUE(calls.Ask(101));
  Calls all("limit=1");
  EXPECT_FALSE(all.Ask(0));
  EXPECT_TRUE(all.Ask(1));
}

TEST(FaultChooser, AfterAMark) {
  Calls calls("after_mark=3");
  EXPECT_FALSE(calls.Ask(1, 1, 2));
  EXPECT_TRUE(calls.Ask(1, 1, 3));
}

TEST(FaultChooser, OnceForEachStack) {
  Calls calls("stacks=once");
  EXPECT_TRUE(calls.Ask(1, 1));
  EXPECT_FALSE(calls.Ask(1, 1));
  EXPECT_TRUE(calls.Ask(1, 70000));
  EXPECT_TRUE(calls.Ask(1, 2));
  EXPECT_FALSE(calls.Ask(1, 70000));
}

TEST(FaultChooser, OneStackByItsKeyFailsOnce) {
  const mallocspy_frame frame = Calls::FrameOf(5);
  char args[64];
  snprintf(args, sizeof(args), "stack=%016lx", KeyOf(&frame, 1));
  Calls calls(args);
  EXPECT_FALSE(calls.Ask(1, 4));
  EXPECT_TRUE(calls.Ask(1, 5));
  EXPECT_FALSE(calls.Ask(1, 5));
}

TEST(FaultChooser, StacksFromAFile) {
  char path[] = "/tmp/fault_stacks.XXXXXX";
  close(mkstemp(path));
  const mallocspy_frame frame = Calls::FrameOf(5);
  char line[32];
  snprintf(line, sizeof(line), "%016lx\n", KeyOf(&frame, 1));
  std::ofstream(path) << "0000000000000001\n" << line;
  Calls calls(("stacks_in=" + std::string(path)).c_str());
  EXPECT_FALSE(calls.Ask(1, 4));
  EXPECT_TRUE(calls.Ask(1, 5));
  EXPECT_TRUE(calls.Ask(1, 5));
  Settings settings;
  EXPECT_TRUE(ParseSettings(("stacks_in=" + std::string(path)).c_str(), &settings));
  for (const char* bad : {"0000000000000001", "000000000000001\n", "000000000000000G\n0", ""}) {
    std::ofstream(path, std::ios::trunc) << bad;
    EXPECT_FALSE(std::make_unique<Chooser>()->Start(settings)) << bad;
  }
  unlink(path);
  EXPECT_FALSE(std::make_unique<Chooser>()->Start(settings));
}

TEST(FaultChooser, KeysDependOnEachFrame) {
  const mallocspy_frame frames[] = {{nullptr, "/a", 2, 1}, {nullptr, "/b", 2, 2}, {nullptr, nullptr, 0, 3}};
  const mallocspy_frame other[] = {{nullptr, "/a", 2, 1}, {nullptr, "/c", 2, 2}, {nullptr, nullptr, 0, 3}};
  EXPECT_EQ(KeyOf(frames, 3), KeyOf(frames, 3));
  EXPECT_NE(KeyOf(frames, 3), KeyOf(other, 3));
  EXPECT_NE(KeyOf(frames, 3), KeyOf(frames, 2));
  EXPECT_NE(KeyOf(frames, 3), KeyOf(frames + 1, 2));
}

TEST(FaultChooser, TheListHasEachStackOnce) {
  char path[] = "/tmp/fault_list.XXXXXX";
  close(mkstemp(path));
  Calls calls(("list=" + std::string(path)).c_str());
  EXPECT_FALSE(calls.Ask(10, 1));
  EXPECT_FALSE(calls.Ask(20, 1));
  EXPECT_FALSE(calls.Ask(30, 2));
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  unlink(path);
  ASSERT_EQ(2u, lines.size());
  char expected[64];
  const mallocspy_frame frame = Calls::FrameOf(2);
  snprintf(expected, sizeof(expected), "%016lx 2 30", KeyOf(&frame, 1));
  EXPECT_EQ(expected, lines[1]);
}

}  // namespace
}  // namespace mallocspy::spies::faults
