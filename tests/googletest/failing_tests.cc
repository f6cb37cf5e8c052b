// Statements whose allocations fail one by one. Tests whose names end in "Fails" must fail.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "googletest/failing_allocations.h"

namespace {

int tries = 0;

__attribute__((noinline)) char* Copy(const char* text) {
  char* copy = static_cast<char*>(std::malloc(std::strlen(text) + 1));
  if (copy != nullptr) std::strcpy(copy, text);
  return copy;
}

// Three allocations; gives back what it has when one fails.
bool Careful() {
  ++tries;
  char* first = Copy("first");
  char* second = first != nullptr ? Copy("second") : nullptr;
  char* third = second != nullptr ? static_cast<char*>(std::realloc(second, 1000)) : nullptr;
  std::free(third != nullptr ? third : second);
  std::free(first);
  return third != nullptr;
}

bool Forgetful() {
  char* first = Copy("first");
  char* second = Copy("second");
  if (second == nullptr) return false;
  std::free(first);
  std::free(second);
  return true;
}

bool Overflowing() {
  char* first = Copy("first");
  char* second = Copy("second");
  if (first != nullptr && second == nullptr) const_cast<volatile char*>(first)[6] = 7;
  static char* kept = nullptr;
  std::free(kept);
  kept = second == nullptr ? first : nullptr;
  if (second != nullptr) std::free(first);
  std::free(second);
  return true;
}

TEST(Failing, EachAllocationOnceAndThenNone) {
  tries = 0;
  MALLOCSPY_EXPECT_TAKES_FAILURES(Careful());
  EXPECT_EQ(5, tries);  // without failures before and at the end, and three with one
}

TEST(Failing, StandardContainersAndBadAlloc) {
  MALLOCSPY_EXPECT_TAKES_FAILURES({
    std::vector<std::string> words;
    for (int i = 0; i < 10; ++i) words.emplace_back(100, 'x');
    auto shared = std::make_shared<std::vector<int>>(50);
    words.clear();
  });
}

TEST(Failing, OtherThreadsDoNotFail) {
  MALLOCSPY_EXPECT_TAKES_FAILURES({
    bool got = false;
    std::thread other([&got] {
      void* block = std::malloc(100);
      got = block != nullptr;
      std::free(block);
    });
    other.join();
    EXPECT_TRUE(got);
  });
}

TEST(Failing, AgainAndAgain) {
  for (int i = 0; i < 20; ++i) MALLOCSPY_EXPECT_TAKES_FAILURES(Careful());
}

TEST(Failing, NothingAllocates) {
  int runs = 0;
  MALLOCSPY_ASSERT_TAKES_FAILURES(++runs);
  EXPECT_EQ(2, runs);
}

TEST(Failing, ALeakInOneRunFails) { MALLOCSPY_EXPECT_TAKES_FAILURES(Forgetful()); }

TEST(Failing, ADamagedHeapFails) { MALLOCSPY_EXPECT_TAKES_FAILURES(Overflowing()); }

TEST(Failing, AnotherExceptionFails) {
  MALLOCSPY_EXPECT_TAKES_FAILURES({
    char* block = Copy("block");
    std::free(block);
    if (block == nullptr) throw std::runtime_error("no block");
  });
}

TEST(Failing, WhatTheStatementExpectsFails) {
  MALLOCSPY_EXPECT_TAKES_FAILURES({
    char* block = Copy("block");
    EXPECT_NE(nullptr, block);
    std::free(block);
  });
}

TEST(Failing, TooManyRunsFails) {
  mallocspy::FailureLimits limits;
  limits.most = 2;
  MALLOCSPY_EXPECT_TAKES_FAILURES_WITHIN(limits, Careful());
}

}  // namespace
