#include "allocator/system/initial_stack.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "tests/allocator/fresh_process.h"
#include "tests/scratch_directory.h"

namespace mallocspy {
namespace {

// Before main(): GoogleTest takes its own arguments out of the array.
const std::string arguments_at_start = [] {
  const char* start;
  uint32_t bytes;
  InitialArguments(&start, &bytes);
  return std::string(start, bytes);
}();

TEST(InitialStack, KnowsTheEnvironmentOfTheStart) {
  const char* path = std::getenv("PATH");
  ASSERT_NE(path, nullptr);
  const std::string before = path;
  EXPECT_STREQ(InitialEnvironment("PATH"), before.c_str());
  EXPECT_EQ(InitialEnvironment("PAT"), nullptr);
  EXPECT_EQ(InitialEnvironment("PATH="), nullptr);
  EXPECT_EQ(InitialEnvironment("MALLOCSPY_NO_SUCH_VARIABLE"), nullptr);
}

TEST(InitialStack, DoesNotSeeWhatTheProgramSets) {
  ASSERT_EQ(setenv("MALLOCSPY_SET_LATER", "x", 1), 0);
  EXPECT_EQ(InitialEnvironment("MALLOCSPY_SET_LATER"), nullptr);
  unsetenv("MALLOCSPY_SET_LATER");
}

TEST(InitialStack, TheFirstOfEqualNamesCounts) {
  InFreshProcess([] {
    SetInitialEnvironment("MALLOCSPY_TEST_ONLY", "a=b");
    EXPECT_STREQ(InitialEnvironment("MALLOCSPY_TEST_ONLY"), "a=b");
  });
}

TEST(InitialStack, KnowsTheArguments) { EXPECT_EQ(arguments_at_start, ReadWholeFile("/proc/self/cmdline")); }

TEST(InitialStack, EndsAboveTheMainThreadsFrames) {
  const uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  EXPECT_LT(here, InitialStackEnd());
  EXPECT_LT(InitialStackEnd() - here, uintptr_t{1} << 20);
}

TEST(InitialStack, ACookieForEachProcess) {
  EXPECT_NE(ProcessCookie(), 0u);
  EXPECT_EQ(ProcessCookie(), ProcessCookie());
}

TEST(InitialStack, ATestProgramIsNotSetuid) { EXPECT_FALSE(IsSecureExecution()); }

}  // namespace
}  // namespace mallocspy
