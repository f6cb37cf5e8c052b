// Checks in a running program: by class, since a mark, and of what is ignored. Silent and 0 without mallocspy, too.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "allocator/leak_check.h"

#pragma weak mallocspy_mark
#pragma weak mallocspy_check_leaks
#pragma weak mallocspy_report_leaks
#pragma weak mallocspy_ignore
#pragma weak mallocspy_ignore_begin
#pragma weak mallocspy_ignore_end

static int failures = 0;

#define EXPECT(condition)                                             \
  do {                                                                \
    if (!(condition)) {                                               \
      std::printf("line %d: %s does not hold\n", __LINE__, #condition); \
      ++failures;                                                     \
    }                                                                 \
  } while (false)

static char* volatile held;
static char* volatile inside;

// Overwrites what calls left on the stack below.
__attribute__((noinline)) static void Forget() {
  volatile char room[8192];
  std::memset(const_cast<char*>(room), 0, sizeof(room));
}

__attribute__((noinline)) static void LoseBlocks(int count) {
  for (int i = 0; i < count; ++i) {
    char* volatile lost = static_cast<char*>(std::malloc(100));  // leak: 5 blocks 500 bytes malloc
    lost = nullptr;
    (void)lost;
  }
}

__attribute__((noinline)) static void LosePair() {
  void** volatile outer = static_cast<void**>(std::malloc(16));  // leak: 1 block 16 bytes malloc
  *outer = std::malloc(24);                                      // leak: 1 block 24 bytes malloc is indirect
  outer = nullptr;
  (void)outer;
}

__attribute__((noinline)) static void IgnorePair() {
  void** volatile outer = static_cast<void**>(std::malloc(32));  // leak: 1 block 32 bytes malloc is reachable from ignored
  *outer = std::malloc(40);                                      // leak: 1 block 40 bytes malloc is reachable from ignored
  EXPECT(mallocspy_ignore(reinterpret_cast<char*>(outer) + 8) == 1);
  outer = nullptr;
}

__attribute__((noinline)) static void LoseIgnored() {
  const mallocspy::IgnoreScope scope;
  char* volatile lost = static_cast<char*>(std::malloc(48));  // leak: 1 block 48 bytes malloc is reachable from ignored
  lost = static_cast<char*>(std::realloc(std::malloc(1), 56));  // leak: 1 block 56 bytes malloc is reachable from ignored
  lost = nullptr;
  (void)lost;
}

int main() {
  if (mallocspy_check_leaks == nullptr) return 0;
  const mallocspy::LeakScope whole;

  const mallocspy::LeakScope first;
  LoseBlocks(3);
  held = static_cast<char*>(std::malloc(7));           // leak: 1 block 7 bytes malloc is reachable from global held
  inside = static_cast<char*>(std::malloc(20)) + 1;    // leak: 1 block 20 bytes malloc is possible from global inside
  Forget();
  mallocspy_leaks leaks = first.Check();
  EXPECT(leaks.error == 0 && leaks.unanswered == 0);
  EXPECT(leaks.definite.blocks == 3 && leaks.definite.bytes == 300);
  EXPECT(leaks.indirect.blocks == 0);
  EXPECT(leaks.possible.blocks == 1 && leaks.possible.bytes == 20);
  EXPECT(leaks.reachable.blocks == 1 && leaks.reachable.bytes == 7);

  const mallocspy::LeakScope second;
  EXPECT(second.since() > first.since());
  Forget();
  leaks = second.Check();
  EXPECT(leaks.error == 0 && leaks.definite.blocks == 0 && leaks.reachable.blocks == 0);
  LoseBlocks(2);
  LosePair();
  Forget();
  leaks = second.Check();
  EXPECT(leaks.definite.blocks == 3 && leaks.definite.bytes == 216);
  EXPECT(leaks.indirect.blocks == 1 && leaks.indirect.bytes == 24);

  const mallocspy::LeakScope third;
  IgnorePair();
  LoseIgnored();
  Forget();
  leaks = third.Check();
  EXPECT(leaks.error == 0 && leaks.definite.blocks == 0 && leaks.indirect.blocks == 0 && leaks.possible.blocks == 0);
  EXPECT(leaks.reachable.blocks == 1 && leaks.reachable.bytes == 40);  // what an ignored one leads to; ignored ones are not counted
  EXPECT(mallocspy_ignore(&failures) == 0 && mallocspy_ignore(nullptr) == 0);

  // What is freed is gone from the next check.
  char* volatile freed = static_cast<char*>(std::malloc(11));
  std::free(freed);
  freed = nullptr;
  Forget();
  leaks = mallocspy::CheckLeaks(third.since());
  EXPECT(leaks.error == 0 && leaks.definite.blocks == 0);
  leaks = whole.Check();
  EXPECT(leaks.definite.blocks == 6 && leaks.indirect.blocks == 1 && leaks.possible.blocks == 1);
  return failures;
}
