// Limits, statements, and what GoogleTest itself allocates. Tests whose name ends in Fails must fail by their leak, the others pass.
#include "googletest/leak_listener.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

__attribute__((noinline)) void Lose(int count, size_t bytes = 100) {
  for (int i = 0; i < count; ++i) {
    void* volatile lost = std::malloc(bytes);
    lost = nullptr;
    static_cast<void>(lost);
  }
}
__attribute__((noinline)) void LoseKnown() { Lose(1); }

std::string* volatile held = nullptr;
std::vector<std::string>* filled = nullptr;
__attribute__((noinline)) void FillOnceAndLose(bool loses) {
  if (filled == nullptr) {
    filled = new std::vector<std::string>(3, "a text that is long enough for a block of its own");
    Lose(2);
  }
  if (loses) Lose(1);
}

mallocspy::LeakLimits Blocks(size_t blocks) {
  mallocspy::LeakLimits limits;
  limits.blocks = blocks;
  return limits;
}
mallocspy::LeakLimits Bytes(size_t bytes) {
  mallocspy::LeakLimits limits;
  limits.bytes = bytes;
  return limits;
}
mallocspy::LeakLimits Allowed(const char* pattern) {
  mallocspy::LeakLimits limits;
  limits.allowed = {pattern};
  return limits;
}

TEST(Limits, WithinBlocks) {
  mallocspy::LimitLeaks(Blocks(2));
  Lose(2);
}
TEST(Limits, BeyondBlocksFails) {
  mallocspy::LimitLeaks(Blocks(2));
  Lose(3);
}
TEST(Limits, WithinBytes) {
  mallocspy::LimitLeaks(Bytes(300));
  Lose(3);
}
TEST(Limits, BeyondBytesFails) {
  mallocspy::LimitLeaks(Bytes(299));
  Lose(3);
}
TEST(Limits, AreGoneAfterTheirTestFails) { Lose(1); }
TEST(Limits, AllowedByPattern) {
  mallocspy::LimitLeaks(Allowed("Lose*nown"));
  LoseKnown();
}
TEST(Limits, OtherPatternFails) {
  mallocspy::LimitLeaks(Allowed("SomethingElse"));
  LoseKnown();
}

TEST(Statement, WithoutLeaks) {
  MALLOCSPY_EXPECT_NO_LEAKS(std::free(std::malloc(10)); std::vector<int>{1, 2, 3});
  MALLOCSPY_ASSERT_NO_LEAKS(std::string(100, 'x'));
}
TEST(Statement, ItsLeakFails) { MALLOCSPY_EXPECT_NO_LEAKS(Lose(1)); }
TEST(Statement, WithinItsLimits) {
  mallocspy::LimitLeaks(Blocks(1));
  MALLOCSPY_EXPECT_LEAKS_WITHIN(Blocks(1), Lose(1));
}
TEST(Statement, WarmUp) {
  mallocspy::LimitLeaks(Blocks(2));
  mallocspy::LeakLimits limits;
  limits.warm_up = 2;
  limits.held_too = true;
  MALLOCSPY_EXPECT_LEAKS_WITHIN(limits, FillOnceAndLose(false));
}
TEST(Statement, WarmUpHidesNoLeakFails) {
  mallocspy::LeakLimits limits;
  limits.warm_up = 1;
  MALLOCSPY_EXPECT_LEAKS_WITHIN(limits, FillOnceAndLose(true));
}
TEST(Statement, HeldTooFails) {
  mallocspy::LeakLimits limits;
  limits.held_too = true;
  MALLOCSPY_EXPECT_LEAKS_WITHIN(limits, held = new std::string(200, 'x'));
}
TEST(Statement, HeldIsNoLeak) {
  MALLOCSPY_EXPECT_NO_LEAKS(held = new std::string(200, 'x'));
}

// GoogleTest's own.
TEST(Own, PropertiesAndTraces) {
  mallocspy::LeakLimits limits;
  limits.held_too = true;
  mallocspy::LimitLeaks(limits);
  SCOPED_TRACE("a trace that is long enough to need a block of its own");
  RecordProperty("property", "a value that is long enough to need a block of its own");
}
TEST(Own, Skipped) { GTEST_SKIP() << "a reason that is long enough to need a block of its own"; }
TEST(OwnDeathTest, Dies) { EXPECT_DEATH(std::abort(), ""); }
TEST(Own, Exceptions) { EXPECT_THROW(throw std::runtime_error("a text that is long enough to need a block of its own"), std::runtime_error); }

class Fixture : public testing::Test {
 protected:
  static void SetUpTestSuite() { shared_ = new std::string(100, 's'); }
  static void TearDownTestSuite() {
    delete shared_;
    shared_ = nullptr;
  }
  void SetUp() override { text_ = new std::string(100, 'x'); }
  void TearDown() override { delete text_; }
  static std::string* shared_;
  std::string* text_ = nullptr;
};
std::string* Fixture::shared_ = nullptr;
TEST_F(Fixture, MakesAndFrees) { EXPECT_EQ(text_->size(), shared_->size()); }

class Parameters : public testing::TestWithParam<int> {};
TEST_P(Parameters, AreNoLeaks) { EXPECT_GT(GetParam(), 0); }
INSTANTIATE_TEST_SUITE_P(Few, Parameters, testing::Values(1, 2, 3));

TEST(Threads, LoseFails) {
  std::thread([] { Lose(1); }).join();
}
TEST(Threads, FreeWhatTheyMake) {
  std::thread([] { std::free(std::malloc(10)); }).join();
}

}  // namespace
