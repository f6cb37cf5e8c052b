#include "tools/run/program_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mallocspy {
namespace {

using ::testing::UnorderedElementsAre;

const Preload kPreload = {"/lib/libmallocspy.so", "/run/x", {}, true};

TEST(ProgramEnvironment, AddsWhatTheLibraryNeeds) {
  const char* const environment[] = {"A=1", "LD_PRELOADED=2", nullptr};
  EXPECT_THAT(ProgramEnvironment(environment, kPreload),
              UnorderedElementsAre("A=1", "LD_PRELOADED=2", "LD_PRELOAD=/lib/libmallocspy.so", "MALLOCSPY_RUN=/run/x"));
}

TEST(ProgramEnvironment, AnotherPreloadStaysBehindOurs) {
  const char* const environment[] = {"LD_PRELOAD=libfoo.so", "LD_PRELOAD=never-seen.so", nullptr};
  EXPECT_THAT(ProgramEnvironment(environment, kPreload),
              UnorderedElementsAre("LD_PRELOAD=/lib/libmallocspy.so:libfoo.so", "MALLOCSPY_RUN=/run/x"));
}

TEST(ProgramEnvironment, ARunInsideARunIsItsOwn) {
  const char* const environment[] = {"MALLOCSPY_RUN=/run/outer", "MALLOCSPY_SPIES=/outer.so",
                                     "MALLOCSPY_OPTIONS=guard=0", nullptr};
  EXPECT_THAT(
      ProgramEnvironment(environment, kPreload),
      UnorderedElementsAre("LD_PRELOAD=/lib/libmallocspy.so", "MALLOCSPY_RUN=/run/x", "MALLOCSPY_OPTIONS=guard=0"));
}

TEST(ProgramEnvironment, SpiesAndFollow) {
  Preload preload = kPreload;
  preload.spies = {"/a.so:x=1", "/b.so"};
  preload.follow = false;
  const char* const plain[] = {nullptr};
  EXPECT_THAT(ProgramEnvironment(plain, preload),
              UnorderedElementsAre("LD_PRELOAD=/lib/libmallocspy.so", "MALLOCSPY_RUN=/run/x",
                                   "MALLOCSPY_SPIES=/a.so:x=1\n/b.so", "MALLOCSPY_OPTIONS=follow=none"));
  const char* const with_options[] = {"MALLOCSPY_OPTIONS=guard=0", nullptr};
  EXPECT_THAT(ProgramEnvironment(with_options, preload), ::testing::Contains("MALLOCSPY_OPTIONS=guard=0:follow=none"));
  preload.ownership = true;
  preload.on_error = "abort";
  EXPECT_THAT(ProgramEnvironment(with_options, preload),
              ::testing::Contains("MALLOCSPY_OPTIONS=guard=0:follow=none:ownership=1:on_error=abort"));
}

}  // namespace
}  // namespace mallocspy
