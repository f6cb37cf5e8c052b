#include "googletest/leak_listener.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  mallocspy::FailTestsThatLeak();
  return RUN_ALL_TESTS();
}
