#include "allocator/system/raw_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <string>

namespace mallocspy {
namespace {

class RawLog : public testing::Test {
 protected:
  RawLog() {
    if (pipe2(ends_, O_NONBLOCK) != 0) ADD_FAILURE() << "no pipe";
  }
  ~RawLog() override {
    close(ends_[0]);
    close(ends_[1]);
  }
  int fd() const { return ends_[1]; }
  std::string Written() {
    std::string text(1 << 17, '\0');
    const ssize_t size = read(ends_[0], text.data(), text.size());
    text.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return text;
  }

 private:
  int ends_[2];
};

TEST_F(RawLog, TextAndNumbersMakeOneLine) {
  RawLine(fd()).Text("pid ").Number(4711).Text(" at ").Hex(0xdeadbeef).End();
  EXPECT_EQ(Written(), "pid 4711 at 0xdeadbeef\n");
}

TEST_F(RawLog, ExtremeNumbers) {
  RawLine(fd()).Number(0).Text(" ").Number(UINT64_MAX).Text(" ").Hex(0).Text(" ").Hex(UINT64_MAX).End();
  EXPECT_EQ(Written(), "0 18446744073709551615 0x0 0xffffffffffffffff\n");
}

TEST_F(RawLog, NothingIsWrittenBeforeTheEnd) {
  RawLine line(fd());
  line.Text("abc");
  EXPECT_EQ(Written(), "");
  line.End();
  EXPECT_EQ(Written(), "abc\n");
}

TEST_F(RawLog, ControlCharactersCannotForgeLinesOrSteerATerminal) {
  std::string text;
  for (int c = 0; c < 0x20; ++c) text += static_cast<char>(c);
  text += '\x7f';
  RawLine(fd()).Text(text.data(), text.size()).End();
  EXPECT_EQ(Written(), std::string(0x21, '?') + "\n");
}

TEST_F(RawLog, OtherBytesPass) {
  std::string text;
  for (int c = 0x20; c < 0x100; ++c) {
    if (c != 0x7f) text += static_cast<char>(c);
  }
  RawLine(fd()).Text(text.data(), text.size()).End();
  EXPECT_EQ(Written(), text + "\n");
}

TEST_F(RawLog, WhatFitsIsNotCut) {
  const std::string text(1024, 'x');
  RawLine(fd()).Text(text.c_str()).End();
  EXPECT_EQ(Written(), text + "\n");
}

TEST_F(RawLog, WhatDoesNotFitIsCutAndMarked) {
  RawLine(fd()).Text(std::string(1000, 'x').c_str()).Text(std::string(25, 'y').c_str()).Text("z").End();
  EXPECT_EQ(Written(), std::string(1000, 'x') + std::string(24, 'y') + "...\n");
  RawLine(fd()).Text(std::string(100000, 'x').c_str()).End();
  EXPECT_EQ(Written(), std::string(1024, 'x') + "...\n");
}

TEST_F(RawLog, ALineCanBeUsedAgain) {
  RawLine line(fd());
  line.Text(std::string(2000, 'x').c_str()).End();
  Written();
  line.Text("short").End();
  EXPECT_EQ(Written(), "short\n");
}

TEST_F(RawLog, GivesUpWhenNobodyReads) {
  const std::string text(1024, 'x');
  size_t written = 0;
  for (int i = 0; i < 1000; ++i) RawLine(fd()).Text(text.c_str()).End();  // a pipe holds 64 KiB; the rest is dropped
  while (true) {
    const std::string piece = Written();
    if (piece.empty()) break;
    written += piece.size();
  }
  EXPECT_LT(written, 1000 * 1025u);
  EXPECT_GT(written, 0u);
}

TEST_F(RawLog, ABadDescriptorIsNoTrouble) {
  errno = 4711;
  RawLine(-1).Text("to nobody").End();
  EXPECT_EQ(errno, 4711);
}

TEST(FailCheckDeathTest, NamesThePlaceAndAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(FailCheck("allocator/x.cc", 12, "a == b"), testing::KilledBySignal(SIGABRT),
              "mallocspy: internal error at allocator/x.cc:12: a == b does not hold; please report it");
  EXPECT_EXIT(MALLOCSPY_CHECK(1 + 1 == 3), testing::KilledBySignal(SIGABRT), "raw_log_test.cc:[0-9]+: 1 \\+ 1 == 3");
}

TEST(FailCheck, PassesWhatHolds) {
  int evaluated = 0;
  MALLOCSPY_CHECK(++evaluated == 1);
  EXPECT_EQ(evaluated, 1);
}

}  // namespace
}  // namespace mallocspy
