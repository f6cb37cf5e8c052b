// The program holds a block in its frame pointer only as it ends.
#include <stdlib.h>

__attribute__((noinline)) static void* Make(void) {
  return malloc(70);  // leak: 1 block 70 bytes malloc is reachable from registers
}

__attribute__((noinline)) static void Clean(void) {
  volatile char space[4096];
  for (unsigned i = 0; i < sizeof(space); ++i) space[i] = 0;
}

static void (*const volatile end)(int) = exit;

int main(void) {
  asm volatile(
      "and $-16, %%rsp\n\t"
      "call *%0\n\t"
      "mov %%rax, %%rbp\n\t"
      "xor %%eax, %%eax\n\t"
      "call *%1\n\t"
      "xor %%edi, %%edi\n\t"
      "xor %%eax, %%eax\n\t"
      "call *%2\n\t"
      :
      : "b"(Make), "r"(Clean), "m"(end)
      : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
  __builtin_unreachable();
}
