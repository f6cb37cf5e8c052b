#include "googletest/leak_listener.h"

#include <memory>
#include <string>

#include "allocator/leak_check.h"
#include "googletest/leak_report.h"

namespace mallocspy {
namespace {

class LeakListener : public testing::EmptyTestEventListener {
 public:
  explicit LeakListener(const LeakLimits& limits) : all_(limits) {}

  void LimitThisTest(const LeakLimits& limits) { this_.reset(new LeakLimits(limits)); }

  void OnTestStart(const testing::TestInfo&) override {
    this_.reset();
    since_ = mallocspy_mark();
  }

  void OnTestEnd(const testing::TestInfo& test) override {
    const std::unique_ptr<LeakLimits> own = std::move(this_);
    std::string message;
    {
      const IgnoreScope scope;
      message = since_ != 0 ? LeaksBeyond(own != nullptr ? *own : all_, since_, __builtin_frame_address(0))
                            : "the leak check did not run: the process has no record of mallocspy";
    }
    if (!message.empty()) ADD_FAILURE_AT(test.file(), test.line()) << message;
  }

 private:
  const LeakLimits all_;
  std::unique_ptr<LeakLimits> this_;
  uint64_t since_ = 0;
};

LeakListener* listener = nullptr;  // GoogleTest owns it

}  // namespace

// The last listener is told of a test's start after all others, and of its end before them.
void FailTestsThatLeak(const LeakLimits& limits) {
  if (listener != nullptr) delete testing::UnitTest::GetInstance()->listeners().Release(listener);
  listener = new LeakListener(limits);
  testing::UnitTest::GetInstance()->listeners().Append(listener);
}

void LimitLeaks(const LeakLimits& limits) {
  const IgnoreScope scope;  // it lives until the check is over
  if (listener != nullptr) listener->LimitThisTest(limits);
}

testing::AssertionResult LeaksWithin(const LeakLimits& limits, const std::function<void()>& statement) {
  for (int i = 0; i < limits.warm_up; ++i) statement();
  const uint64_t since = mallocspy_mark();
  if (since == 0) return testing::AssertionFailure() << "the leak check did not run: the process has no record of mallocspy";
  statement();
  const IgnoreScope scope;
  const std::string message = LeaksBeyond(limits, since, __builtin_frame_address(0));
  if (message.empty()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << message;
}

}  // namespace mallocspy
