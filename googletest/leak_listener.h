// Tests that fail when they leak.
//
//   int main(int argc, char** argv) {                    // or link mallocspy::gtest_main, which is this
//     testing::InitGoogleTest(&argc, argv);
//     mallocspy::FailTestsThatLeak();
//     return RUN_ALL_TESTS();
//   }
//
// Each test is checked from its fixture's construction to its destruction. What fails it is blocks that were made meanwhile and that
// nothing leads to any more, whoever made them, with their stacks in the failure's message. What is kept for later tests, in a global
// cache or by SetUpTestSuite(), is no leak, nor is anything of GoogleTest's own. A check that cannot be made is a failure, too.
//
// A test, or a statement, can be given limits:
//
//   TEST(Parser, KeepsOneTable) {
//     mallocspy::LeakLimits limits;
//     limits.blocks = 1;
//     mallocspy::LimitLeaks(limits);                       // of this test
//     MALLOCSPY_EXPECT_NO_LEAKS(Parse("a = 1"));           // of this statement
//     MALLOCSPY_EXPECT_LEAKS_WITHIN(limits, Parse("b"));
//   }
#ifndef MALLOCSPY_GOOGLETEST_LEAK_LISTENER_H_
#define MALLOCSPY_GOOGLETEST_LEAK_LISTENER_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace mallocspy {

struct LeakLimits {
  size_t blocks = 0;  // that may leak; with neither of the two, none may
  size_t bytes = 0;   // likewise, requested bytes; given alone it says nothing about the number of blocks
  // Leaks with such a frame are none: a part of a function's, file's or module's name, with * as wildcard, as LeakSanitizer's files have it.
  std::vector<std::string> allowed;
  // Count whatever is still there, held or not.
  bool held_too = false;
  // Of a statement: how often it is done before it is checked, to fill what is filled but once.
  int warm_up = 0;
};

// Checks every test from now on. Before RUN_ALL_TESTS().
void FailTestsThatLeak(const LeakLimits& limits = LeakLimits());

// Limits of the test that runs now, instead of those of FailTestsThatLeak().
void LimitLeaks(const LeakLimits& limits);

// Does `statement` and checks what it made.
testing::AssertionResult LeaksWithin(const LeakLimits& limits, const std::function<void()>& statement);

}  // namespace mallocspy

#define MALLOCSPY_EXPECT_LEAKS_WITHIN(limits, ...) EXPECT_TRUE(::mallocspy::LeaksWithin((limits), [&] { __VA_ARGS__; }))
#define MALLOCSPY_ASSERT_LEAKS_WITHIN(limits, ...) ASSERT_TRUE(::mallocspy::LeaksWithin((limits), [&] { __VA_ARGS__; }))
#define MALLOCSPY_EXPECT_NO_LEAKS(...) MALLOCSPY_EXPECT_LEAKS_WITHIN(::mallocspy::LeakLimits(), __VA_ARGS__)
#define MALLOCSPY_ASSERT_NO_LEAKS(...) MALLOCSPY_ASSERT_LEAKS_WITHIN(::mallocspy::LeakLimits(), __VA_ARGS__)

#endif
