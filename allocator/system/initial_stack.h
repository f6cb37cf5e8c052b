// The environment as the kernel handed it over. Readable before libc has set up `environ`, and not changed by setenv().
#pragma once

#include <cstdint>

namespace mallocspy {

// The value of `name`, or nullptr. The program may write over it at any time.
const char* InitialEnvironment(const char* name);
// Start and size of the argument strings, each with its NUL.
void InitialArguments(const char** start, uint32_t* bytes);
// The stack pointer with which the kernel started the program.
uintptr_t InitialStackPointer();
// Highest address of the main thread's stack.
uintptr_t InitialStackEnd();
// Whether the kernel asked for care: a setuid, setgid or capability-raised program (AT_SECURE).
bool IsSecureExecution();
// 8 random bytes of this process (AT_RANDOM).
uint64_t ProcessCookie();

}  // namespace mallocspy
