// A suite of five tests, of which one leaks.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

std::map<std::string, std::string>& Cache() {
  static std::map<std::string, std::string>* cache = new std::map<std::string, std::string>();
  return *cache;
}

__attribute__((noinline)) void LoseRecords(int count) {
  for (int i = 0; i < count; ++i) {
    char* volatile record = new char[50000]();  // too large for the place of a freed block, to which something stale may point
    record = nullptr;
    static_cast<void>(record);
  }
}

TEST(Records, AreFreed) { EXPECT_EQ(std::make_unique<int>(4).operator*(), 4); }
TEST(Records, AreKeptInTheCache) { Cache()["a long enough key for a block of its own"] = "value"; }
TEST(Records, AreLost) { LoseRecords(3); }
TEST(Records, AreFoundInTheCache) { EXPECT_LE(Cache().size(), 1u); }
TEST(Records, AreManyAndFreed) { EXPECT_EQ(std::vector<std::string>(100, "some text that needs a block of its own").size(), 100u); }

}  // namespace
