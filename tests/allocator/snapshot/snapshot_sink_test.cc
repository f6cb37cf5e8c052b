#include "allocator/snapshot/snapshot_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <thread>

#include "allocator/ledger/format.h"

namespace mallocspy {
namespace {

TEST(SnapshotSink, AFileHasItsPiecesInTheirPlaces) {
  const int fd = memfd_create("x", 0);
  SnapshotSink sink = SnapshotSink::File(fd);
  EXPECT_TRUE(sink.Write("def", 3, 3));
  EXPECT_TRUE(sink.Write("abc", 3, 0));
  EXPECT_TRUE(sink.Finish(10));
  char text[16] = {};
  EXPECT_EQ(pread(fd, text, sizeof(text), 0), 10);
  EXPECT_STREQ(text, "abcdef");
  close(fd);
}

struct Pipe {
  int ends[2];
  Pipe() { EXPECT_EQ(pipe2(ends, O_NONBLOCK), 0); }
};

std::string ReadAll(int fd) {
  fcntl(fd, F_SETFL, 0);
  std::string all;
  char piece[4096];
  for (ssize_t got; (got = read(fd, piece, sizeof(piece))) > 0;) all.append(piece, static_cast<size_t>(got));
  return all;
}

TEST(SnapshotSink, APipeHasPiecesAndAnEnd) {
  Pipe pipe;
  const int reader = dup(pipe.ends[0]);
  std::string all;
  std::thread reading([&] { all = ReadAll(reader); });
  const std::string large(300000, 'x');
  SnapshotSink sink = SnapshotSink::Pipe(pipe.ends[1], pipe.ends[0]);
  EXPECT_TRUE(sink.Write(large.data(), large.size(), 4096));
  EXPECT_TRUE(sink.Write("abc", 3, 7));
  EXPECT_TRUE(sink.Finish(400000));
  close(pipe.ends[1]);
  reading.join();
  const ledger::StreamPiece pieces[] = {{4096, large.size()}, {7, 3}, {400000, 0}};
  std::string expected(reinterpret_cast<const char*>(&pieces[0]), sizeof(pieces[0]));
  expected += large;
  expected.append(reinterpret_cast<const char*>(&pieces[1]), sizeof(pieces[1])).append("abc");
  expected.append(reinterpret_cast<const char*>(&pieces[2]), sizeof(pieces[2]));
  EXPECT_EQ(all, expected);
}

TEST(SnapshotSink, AReaderThatGoesAwayEndsIt) {
  std::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  const int reader = dup(pipe.ends[0]);
  std::thread reading([&] {
    char some[1000];
    fcntl(reader, F_SETFL, 0);
    EXPECT_GT(read(reader, some, sizeof(some)), 0);
    usleep(100000);
    while (read(reader, some, sizeof(some)) == sizeof(some) && some[0] != 0) {
    }
    close(reader);
  });
  std::string large(500000, 'x');
  large.append(5000, '\0');
  SnapshotSink sink = SnapshotSink::Pipe(pipe.ends[1], pipe.ends[0]);
  bool good = true;
  for (int i = 0; i < 100 && good; ++i) good = sink.Write(large.data(), large.size(), 0);
  EXPECT_FALSE(good);
  EXPECT_EQ(sink.error(), -EPIPE);
  EXPECT_FALSE(sink.Finish(1)) << "what failed once has failed";
  reading.join();
  close(pipe.ends[1]);
}

}  // namespace
}  // namespace mallocspy
