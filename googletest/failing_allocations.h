// Does a statement, and does it again and again, with a failed allocation one further on each time, until it makes no more:
//
//   TEST(Parser, TakesEveryFailedAllocation) {
//     MALLOCSPY_EXPECT_TAKES_FAILURES({
//       Parser parser;
//       const bool parsed = parser.Parse("a = 1");
//       EXPECT_TRUE(parsed || parser.ran_out_of_memory());
//     });
//   }
//
// malloc and its kin return null then, operator new throws std::bad_alloc, which the statement may let out. What fails the test is another
// exception, memory that the statement lost, a damaged heap, and what the statement itself expects, which has to hold in every run; a
// crash ends the test program as any crash does. The failures are this thread's: what other threads allocate meanwhile is theirs.
#ifndef MALLOCSPY_GOOGLETEST_FAILING_ALLOCATIONS_H_
#define MALLOCSPY_GOOGLETEST_FAILING_ALLOCATIONS_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>

#include "googletest/leak_listener.h"

namespace mallocspy {

struct FailureLimits {
  size_t first = 1;      // the first allocation that fails, counted from 1
  size_t most = 100000;  // runs; a statement that allocates more often is a failure, too
  LeakLimits leaks;      // of each run; warm_up runs, at least one, come before the first
};

// The result is a failure at the first run that goes wrong, and says which allocation failed in it, and where.
testing::AssertionResult TakesFailures(const FailureLimits& limits, const std::function<void()>& statement);

}  // namespace mallocspy

#define MALLOCSPY_EXPECT_TAKES_FAILURES_WITHIN(limits, ...) \
  EXPECT_TRUE(::mallocspy::TakesFailures((limits), [&] { __VA_ARGS__; }))
#define MALLOCSPY_ASSERT_TAKES_FAILURES_WITHIN(limits, ...) \
  ASSERT_TRUE(::mallocspy::TakesFailures((limits), [&] { __VA_ARGS__; }))
#define MALLOCSPY_EXPECT_TAKES_FAILURES(...) MALLOCSPY_EXPECT_TAKES_FAILURES_WITHIN(::mallocspy::FailureLimits(), __VA_ARGS__)
#define MALLOCSPY_ASSERT_TAKES_FAILURES(...) MALLOCSPY_ASSERT_TAKES_FAILURES_WITHIN(::mallocspy::FailureLimits(), __VA_ARGS__)

#endif
