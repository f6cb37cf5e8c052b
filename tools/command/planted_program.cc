#include "tools/command/planted_program.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

// GCC's; clang copies no functions.
#if __has_cpp_attribute(gnu::noclone)
#define MALLOCSPY_NOCLONE [[gnu::noclone]]
#else
#define MALLOCSPY_NOCLONE
#endif

// The compiler must neither see through these nor leave the only pointer where it would be found.
extern "C" {
MALLOCSPY_NOCLONE [[gnu::noinline, gnu::visibility("default")]] void mallocspy_self_test_leak(size_t bytes) {
  char* volatile block = static_cast<char*>(std::malloc(bytes));
  if (block != nullptr) *block = 'x';
  block = nullptr;
}
}

namespace mallocspy {
namespace {

void* volatile held = nullptr;
volatile uint64_t lost_blocks = kLostBlocks;
sem_t ready;

void* HoldBlock(void*) {
  char* volatile block = static_cast<char*>(std::malloc(kThreadBytes));
  if (block != nullptr) *block = 'x';
  sem_post(&ready);
  for (;;) pause();
}

// Old pointers below the caller's frame are written over. Returns 0.
[[gnu::noinline]] int Overwrite() {
  volatile char frame[4096];
  for (volatile char& byte : frame) byte = 0;
  return frame[0];
}

}  // namespace

int RunPlantedProgram() {
  // One call that the compiler does not repeat, so that all blocks have the same stack.
  for (uint64_t i = 0; i < lost_blocks; ++i) mallocspy_self_test_leak(kLostBytes);
  held = std::malloc(kGlobalBytes);
  int status = Overwrite();
  pthread_t thread;
  sem_init(&ready, 0, 0);
  if (pthread_create(&thread, nullptr, HoldBlock, nullptr) == 0) {
    sem_wait(&ready);
  } else {
    status = kNoThread;
  }
  const pid_t child = fork();
  if (child == 0) {
    mallocspy_self_test_leak(kChildBytes);
    std::exit(Overwrite());
  }
  if (child < 0) return kNoChild;
  waitpid(child, nullptr, 0);
  return status;
}

}  // namespace mallocspy
