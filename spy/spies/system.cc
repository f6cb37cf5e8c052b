#include "spy/spies/system.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>

// Absent where the spy is tried without the library that calls it.
extern "C" const void* mallocspy_caller(void) __attribute__((weak));

namespace mallocspy::spies::system {
namespace {

constinit std::atomic<void (*)()> finish_all{nullptr};

__attribute__((destructor)) void FinishAll() {
  if (auto* finish = finish_all.load()) finish();
}

}  // namespace

void* Map(size_t bytes) {
  void* address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return address == MAP_FAILED ? nullptr : address;
}

void Unmap(void* address, size_t bytes) { munmap(address, bytes); }

bool WipeOnFork(void* page, size_t bytes) { return madvise(page, bytes, MADV_WIPEONFORK) == 0; }

uint32_t ProcessId() { return static_cast<uint32_t>(getpid()); }
uint32_t ThreadId() { return static_cast<uint32_t>(gettid()); }
void YieldThread() { sched_yield(); }

void AtProcessEnd(void (*finish)()) {
  // quick_exit calls nothing but what was registered with it.
  if (finish_all.exchange(finish) == nullptr) at_quick_exit(FinishAll);
}

bool CurrentDirectory(char* path, size_t bytes) { return getcwd(path, bytes) != nullptr; }

void ProgramPath(char* path, size_t bytes) {
  const ssize_t length = readlink("/proc/self/exe", path, bytes - 1);
  path[length < 0 ? 0 : length] = '\0';
}

int Create(const char* path, FileId* id) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  // Away from the numbers that programs close wholesale or expect to get.
  const int high = fcntl(fd, F_DUPFD_CLOEXEC, 512);
  if (high >= 0) {
    close(fd);
    fd = high;
  }
  struct stat status;
  if (fstat(fd, &status) == 0) *id = {status.st_dev, status.st_ino};
  return fd;
}

void Close(int fd, const FileId& id) {
  struct stat status;
  if (fstat(fd, &status) == 0 && status.st_dev == id.device && status.st_ino == id.inode) close(fd);
}

bool Write(int fd, const char* data, size_t bytes) {
  while (bytes > 0) {
    const ssize_t written = write(fd, data, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    data += written;
    bytes -= static_cast<size_t>(written);
  }
  return true;
}

bool Append(const char* path, const char* data, size_t bytes) {
  const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool written = Write(fd, data, bytes);
  close(fd);
  return written;
}

void WriteToStandardError(const char* data, size_t bytes) { Write(STDERR_FILENO, data, bytes); }

const void* CallerOfProgram() { return mallocspy_caller == nullptr ? nullptr : mallocspy_caller(); }

// Takes no lock of the loader: under the spies' lock that could wait for a thread in dlopen, which allocates.
CodePlace Locate(const void* address) {
  dl_find_object found;
  if (_dl_find_object(const_cast<void*>(address), &found) != 0 || found.dlfo_link_map == nullptr) {
    return {nullptr, reinterpret_cast<uint64_t>(address)};
  }
  return {found.dlfo_link_map->l_name, reinterpret_cast<uint64_t>(address) - found.dlfo_link_map->l_addr};
}

const void* MapFile(const char* path, size_t* bytes) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  struct stat status;
  void* address = MAP_FAILED;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
    *bytes = static_cast<size_t>(status.st_size);
    address = mmap(nullptr, *bytes, PROT_READ, MAP_PRIVATE, fd, 0);
  }
  close(fd);
  return address == MAP_FAILED ? nullptr : address;
}

}  // namespace mallocspy::spies::system
