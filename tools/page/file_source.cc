#include "tools/page/file_source.h"

#include <sys/stat.h>

#include <memory>
#include <tuple>

#include "tools/reader/reader.h"

namespace mallocspy {
namespace {

// What tells one state of a file from another.
using FileState = std::tuple<dev_t, ino_t, off_t, time_t, long>;

FileState StateOf(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

}  // namespace

HeapSource HeapOfFile(const std::string& path) {
  const auto last = std::make_shared<FileState>();
  return {.read =
              [path, last] {
                *last = StateOf(path);  // first: what changes while it is read is seen the next time
                return ReadSnapshotFile(path);
              },
          .changed = [path, last] { return StateOf(path) != *last; }};
}

}  // namespace mallocspy
