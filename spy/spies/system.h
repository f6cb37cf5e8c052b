// What the built-in spies need of the operating system: files, memory, threads, modules. All of it is here.
//
// Nothing waits for a lock that a thread may hold while it allocates, and nothing allocates.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace mallocspy::spies::system {

inline constexpr size_t kPathBytes = 4096;  // of the longest path, with its NUL

// Which file a descriptor stands for.
struct FileId {
  uint64_t device;
  uint64_t inode;
};

struct CodePlace {
  const char* module;  // "": the program itself; null: no module is there
  uint64_t offset;     // from where the module is loaded; the address itself if there is no module
};

// Fresh zeros, null if there is no memory.
void* Map(size_t bytes);
void Unmap(void* address, size_t bytes);
// Makes the kernel hand a forked child zeros here. False if it cannot.
bool WipeOnFork(void* page, size_t bytes);

uint32_t ProcessId();
uint32_t ThreadId();
void YieldThread();

// Calls `finish` when the process exits, by exit or quick_exit; once for all spies.
void AtProcessEnd(void (*finish)());

bool CurrentDirectory(char* path, size_t bytes);
// "" if it is not known.
void ProgramPath(char* path, size_t bytes);

// Opens a new file of mode 0600; -1 with errno if there cannot be one (EEXIST: it is there).
int Create(const char* path, FileId* id);
// Closes the file unless the program has put another one in its place.
void Close(int fd, const FileId& id);
// All of it, or false with errno.
bool Write(int fd, const char* data, size_t bytes);
// Adds to the end of a file, which is made if it is not there. False if it cannot be.
bool Append(const char* path, const char* data, size_t bytes);
void WriteToStandardError(const char* data, size_t bytes);

// Within a spy's method: the return address of the program's call; null if it is not known.
const void* CallerOfProgram();
CodePlace Locate(const void* address);

// The whole of a file, read-only, until Unmap; null if it cannot be read or is empty.
const void* MapFile(const char* path, size_t* bytes);

}  // namespace mallocspy::spies::system
