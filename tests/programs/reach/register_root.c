// A thread blocked in a system call holds its block in a register only.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_int ready;
static int fds[2];
static char byte;

__attribute__((noinline)) static void* Make(void) {
  return malloc(90);  // leak: 1 block 90 bytes malloc is reachable from registers
}

__attribute__((noinline)) static void Clean(void) {
  volatile char space[4096];
  for (unsigned i = 0; i < sizeof(space); ++i) space[i] = 0;
}

// Keeps the pointer in R12 over the system call, and nowhere else.
static void* Blocked(void* unused) {
  asm volatile(
      "mov %%rsp, %%r13\n\t"
      "sub $128, %%rsp\n\t"  // the red zone
      "and $-16, %%rsp\n\t"
      "call *%0\n\t"
      "mov %%rax, %%r12\n\t"
      "xor %%eax, %%eax\n\t"
      "call *%1\n\t"
      "lock incl %2\n\t"
      "xor %%eax, %%eax\n\t"  // read
      "mov %3, %%edi\n\t"
      "lea %4, %%rsi\n\t"
      "mov $1, %%edx\n\t"
      "syscall\n\t"
      "mov %%r13, %%rsp\n\t"
      :
      : "b"(Make), "r"(Clean), "m"(ready), "m"(fds[0]), "m"(byte)
      : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "memory", "cc");
  return unused;
}

int main(void) {
  pthread_t thread;
  if (pipe(fds) != 0) return 1;
  pthread_create(&thread, NULL, Blocked, NULL);
  while (!ready) usleep(100);
  usleep(20000);
  exit(0);
}
