// A process of a test's own.
//
// The record exists once in a process and starts once: g_ledger, g_heap, g_stacks, g_live_map, the thread states, the phase.
// A test that needs it runs its body in a forked child, in which nothing of that was ever used:
//
//   TEST(Foo, Bar) {
//     InFreshProcess([] { EXPECT_NE(g_heap.Allocate(1, {}), nullptr); });
//   }
//
// The body uses EXPECT and ASSERT as usual; what fails is printed by the child and fails the test. The parent itself never
// touches the record (checked), so any number of tests may run in one call of the test program.
//
// The child reads its options and its environment as any program does, at its first event, so before that a body may say
// what they are: SetOptions("guard=0"), SetInitialEnvironment("MALLOCSPY_RUN", directory).
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <functional>
#include <string>

// ThreadSanitizer gives up a thread before its last destructors of thread-specific data run, which are ours and libunwind's; it
// makes a fork of a vfork; and it cannot follow a thread's child that makes threads.
#if defined(__SANITIZE_THREAD__)
#define MALLOCSPY_SKIP_UNDER_TSAN() GTEST_SKIP() << "ThreadSanitizer cannot follow this"
#else
#define MALLOCSPY_SKIP_UNDER_TSAN() static_cast<void>(0)
#endif
// A sanitizer's blocks are not laid out like glibc's, its stacks not like the thread's.
#if defined(MALLOCSPY_SANITIZED)
#define MALLOCSPY_SKIP_UNDER_SANITIZER() GTEST_SKIP() << "not to be seen under a sanitizer"
#else
#define MALLOCSPY_SKIP_UNDER_SANITIZER() static_cast<void>(0)
#endif

namespace mallocspy {

void InFreshProcess(const std::function<void()>& body);

// The same for a body that is to end its process itself: how it ended, as a wait status.
int StatusOfFreshProcess(const std::function<void()>& body);

// Forks within such a body: `body` runs in the child, which ends with success only if nothing failed in it. For the child of a
// process whose record has started.
pid_t ForkWith(const std::function<void()>& body);
// Waits for it; true if it ended with success.
testing::AssertionResult EndsWell(pid_t child);

// What the weak mallocspy_default_options() answers from now on; and what it does. Kept by reference.
void SetOptions(const char* options, void (*when_asked)() = nullptr);

// Puts `name=value` where the kernel put the program's environment.
void SetInitialEnvironment(const std::string& name, const std::string& value);

}  // namespace mallocspy
