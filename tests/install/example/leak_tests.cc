// Tests of somebody else's project; one of them leaks.
#include <gtest/gtest.h>

static int* volatile kept = nullptr;

TEST(Numbers, AreFreed) {
  kept = new int(4);
  delete kept;
  kept = nullptr;
}

TEST(Numbers, AreLost) {
  kept = new int(4);
  kept = nullptr;
}
