// A tmpfs of few bytes over a directory, seen by this process and its children only. For the body of InFreshProcess(): it makes
// a mount namespace of its own.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace mallocspy {

inline bool OwnMounts() {
  return unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

// Whether a test may mount at all: tried, since root need not be allowed and others may be.
inline bool MayMount() {
  const pid_t child = fork();
  if (child == 0) _exit(OwnMounts() && mount("none", "/tmp", "tmpfs", 0, "size=4096") == 0 ? 0 : 1);
  int status = -1;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

class SmallFileSystem {
 public:
  SmallFileSystem(const std::string& directory, size_t bytes) : directory_(directory) {
    const std::string size = "size=" + std::to_string(bytes);
    if (!OwnMounts() || mount("none", directory.c_str(), "tmpfs", 0, size.c_str()) != 0) {
      ADD_FAILURE() << "cannot mount: " << std::strerror(errno);
    }
  }
  ~SmallFileSystem() { umount2(directory_.c_str(), MNT_DETACH); }
  SmallFileSystem(const SmallFileSystem&) = delete;
  SmallFileSystem& operator=(const SmallFileSystem&) = delete;

 private:
  std::string directory_;
};

}  // namespace mallocspy
