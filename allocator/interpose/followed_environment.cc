#include "allocator/interpose/followed_environment.h"

#include <cstring>

#include "allocator/ledger/ledger.h"
#include "allocator/process.h"
#include "allocator/system/initial_stack.h"
#include "allocator/system/os_memory.h"

namespace mallocspy {
namespace {

constexpr char kPreload[] = "LD_PRELOAD=";
constexpr char kOwnPrefix[] = "MALLOCSPY_";
constexpr char kLibrary[] = "libmallocspy.so";
constexpr char kAddedName[] = "MALLOCSPY_ADDED";
constexpr char kAdded[] = "MALLOCSPY_ADDED=1";
constexpr const char* kPassedOn[] = {"MALLOCSPY_RUN", "MALLOCSPY_OPTIONS", "MALLOCSPY_SPIES", "MALLOCSPY_TOOL"};
constexpr size_t kPassedOnCount = sizeof(kPassedOn) / sizeof(kPassedOn[0]);
constexpr size_t kPathBytes = 4096;
constexpr char* const kNoVariables[] = {nullptr};

constinit bool following = false;
constinit const char* passed_on[kPassedOnCount] = {};  // whole entries, null where absent
constinit char library_path[kPathBytes] = {};

bool StartsWith(const char* entry, const char* prefix) { return std::strncmp(entry, prefix, std::strlen(prefix)) == 0; }

// The length of the path at `list`, an LD_PRELOAD value; paths are parted by colons or spaces.
size_t PathLength(const char* list) { return std::strcspn(list, ": "); }

bool IsOurPath(const char* path, size_t length) {
  const size_t name = sizeof(kLibrary) - 1;
  return length >= name && std::memcmp(path + length - name, kLibrary, name) == 0;
}

bool NamesUs(const char* list) {
  while (*list != '\0') {
    const size_t length = PathLength(list);
    if (IsOurPath(list, length)) return true;
    list += length;
    if (*list != '\0') ++list;
  }
  return false;
}

const char* Find(char* const* environment, const char* prefix) {
  for (char* const* entry = environment; *entry != nullptr; ++entry) {
    if (StartsWith(*entry, prefix)) return *entry;
  }
  return nullptr;
}

bool IsComplete(char* const* environment) {
  const char* preload = Find(environment, kPreload);
  return preload != nullptr && NamesUs(preload + sizeof(kPreload) - 1);
}

size_t Count(char* const* environment) {
  size_t count = 0;
  while (environment[count] != nullptr) ++count;
  return count;
}

// Drops our library from the value of an LD_PRELOAD entry, in place; true if nothing is left.
bool DropOurselves(char* value) {
  char* out = value;
  for (char* at = value; *at != '\0';) {
    const size_t length = PathLength(at);
    const char* next = at + length;
    if (length != 0 && !IsOurPath(at, length)) {
      if (out != value) *out++ = ':';
      std::memmove(out, at, length);
      out += length;
    }
    at += next - at;
    if (*at != '\0') ++at;
  }
  *out = '\0';
  return out == value;
}

}  // namespace

void RememberFollowing() {
  const char* preload = InitialEnvironment("LD_PRELOAD");
  if (IsSecureExecution() || preload == nullptr || !ProcessOptions().follow.Is("all")) return;
  while (*preload != '\0' && !IsOurPath(preload, PathLength(preload))) {
    preload += PathLength(preload);
    if (*preload != '\0') ++preload;
  }
  const size_t length = PathLength(preload);
  if (length == 0 || length >= sizeof(library_path)) return;
  std::memcpy(library_path, preload, length);
  for (size_t i = 0; i < kPassedOnCount; ++i) {
    const char* value = InitialEnvironment(kPassedOn[i]);
    if (value == nullptr) continue;
    // Copied: setproctitle() and its like write over the initial environment.
    const char* entry = value - std::strlen(kPassedOn[i]) - 1;
    const size_t bytes = std::strlen(entry) + 1;
    void* copy = MapPrivate(bytes);
    if (copy == nullptr) continue;
    std::memcpy(copy, entry, bytes);
    passed_on[i] = static_cast<const char*>(copy);
  }
  following = true;
}

bool WasFollowedByAddition() { return InitialEnvironment(kAddedName) != nullptr; }

size_t FollowedEnvironment::BytesFor(char* const* environment) {
  if (environment == nullptr) environment = kNoVariables;
  if (!following || IsComplete(environment)) return 1;
  const char* preload = Find(environment, kPreload);
  return (Count(environment) + kPassedOnCount + 3) * sizeof(char*) + sizeof(kPreload) + std::strlen(library_path) + 2 +
         (preload != nullptr ? std::strlen(preload) : 0);
}

FollowedEnvironment::FollowedEnvironment(char* const* environment, void* memory) : entries_(environment) {
  if (environment == nullptr) environment = kNoVariables;  // as the kernel and clearenv() mean it
  if (!following || IsComplete(environment)) return;
  const size_t count = Count(environment);
  const char** entries = static_cast<const char**>(memory);
  char* preload = reinterpret_cast<char*>(entries + count + kPassedOnCount + 3);
  size_t kept = 0;
  const char* theirs = nullptr;
  for (size_t i = 0; i < count; ++i) {
    if (StartsWith(environment[i], kPreload)) {
      theirs = environment[i] + sizeof(kPreload) - 1;
    } else if (!StartsWith(environment[i], kOwnPrefix)) {
      entries[kept++] = environment[i];
    }
  }
  entries[kept++] = preload;
  std::strcpy(preload, kPreload);
  std::strcat(preload, library_path);
  if (theirs != nullptr && *theirs != '\0') {
    std::strcat(preload, ":");
    std::strcat(preload, theirs);
  }
  for (const char* entry : passed_on) {
    if (entry != nullptr) entries[kept++] = entry;
  }
  entries[kept++] = kAdded;
  entries[kept] = nullptr;
  entries_ = const_cast<char* const*>(entries);
}

void CleanEnvironment(char** environment) {
  char** out = environment;
  for (char** entry = environment; *entry != nullptr; ++entry) {
    if (StartsWith(*entry, kOwnPrefix)) continue;
    if (StartsWith(*entry, kPreload) && NamesUs(*entry + sizeof(kPreload) - 1) &&
        DropOurselves(*entry + sizeof(kPreload) - 1)) {
      continue;
    }
    *out++ = *entry;
  }
  *out = nullptr;
}

}  // namespace mallocspy
