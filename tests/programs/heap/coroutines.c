// Coroutines of makecontext on stacks from the heap and from a global, switching in the midst of their work.
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

static ucontext_t main_context;
static ucontext_t contexts[2];
static _Alignas(16) char global_stack[32768];

static void Work(int number) {
  for (int i = 0; i < 100; ++i) {
    void* block = malloc(41);
    swapcontext(&contexts[number], &main_context);
    free(block);
  }
  void* volatile kept = malloc(43);  // leak: 2 blocks 86 bytes malloc
  (void)kept;
}

int main(void) {
  char* heap_stack = malloc(32768);
  for (int i = 0; i < 2; ++i) {
    getcontext(&contexts[i]);
    contexts[i].uc_stack.ss_sp = i == 0 ? global_stack : heap_stack;
    contexts[i].uc_stack.ss_size = 32768;
    contexts[i].uc_link = &main_context;
    makecontext(&contexts[i], (void (*)(void))Work, 1, i);
  }
  for (int round = 0; round < 101; ++round) {
    for (int i = 0; i < 2; ++i) swapcontext(&main_context, &contexts[i]);
  }
  free(heap_stack);
  printf("done\n");
  return 0;
}
