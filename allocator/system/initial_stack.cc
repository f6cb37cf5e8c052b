#include "allocator/system/initial_stack.h"

#include <elf.h>
#include <sys/auxv.h>

#include <cstring>

// Set by the dynamic loader before it runs anything: the address of argc on the initial stack, which is followed by the
// argument and environment pointers (System V ABI for x86-64, "Initial Stack and Register State").
extern "C" void* __libc_stack_end;

namespace mallocspy {
namespace {

char** Arguments(long* count) {
  long* start = static_cast<long*>(__libc_stack_end);
  *count = *start;
  char** arguments = reinterpret_cast<char**>(start + 1);
  // A program started through an unusual loader may not keep the layout: better no answer than a wild one.
  if (*count < 0 || *count > (1L << 24) || arguments[*count] != nullptr) *count = -1;
  return arguments;
}

}  // namespace

const char* InitialEnvironment(const char* name) {
  long count;
  char** arguments = Arguments(&count);
  if (count < 0) return nullptr;
  const size_t length = std::strlen(name);
  for (char** entry = arguments + count + 1; *entry != nullptr; ++entry) {
    if (std::strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') return *entry + length + 1;
  }
  return nullptr;
}

void InitialArguments(const char** start, uint32_t* bytes) {
  *start = nullptr;
  *bytes = 0;
  long count;
  char** arguments = Arguments(&count);
  if (count <= 0) return;
  // The strings lie behind each other; stop where they do not.
  const char* end = arguments[0];
  for (long i = 0; i < count && arguments[i] == end; ++i) end += std::strlen(end) + 1;
  *start = arguments[0];
  *bytes = static_cast<uint32_t>(end - arguments[0]);
}

uintptr_t InitialStackPointer() { return reinterpret_cast<uintptr_t>(__libc_stack_end); }

uintptr_t InitialStackEnd() { return reinterpret_cast<uintptr_t>(__libc_stack_end); }

bool IsSecureExecution() { return getauxval(AT_SECURE) != 0; }

uint64_t ProcessCookie() {
  uint64_t cookie = 0x5be0cd19137e2179;
  const void* random = reinterpret_cast<const void*>(getauxval(AT_RANDOM));
  if (random != nullptr) std::memcpy(&cookie, random, sizeof(cookie));
  return cookie;
}

}  // namespace mallocspy
