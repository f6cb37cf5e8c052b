// A handler that runs on a small alternate stack allocates there.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static _Alignas(16) char other_stack[16384];

static void Handle(int signal_number) {
  (void)signal_number;
  void* volatile block = malloc(39);  // leak: 1 blocks 39 bytes malloc
  (void)block;
  free(malloc(40));
}

int main(void) {
  const stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof(other_stack)};
  if (sigaltstack(&stack, NULL) != 0) return 1;
  struct sigaction action = {.sa_handler = Handle, .sa_flags = SA_ONSTACK};
  sigaction(SIGUSR1, &action, NULL);
  raise(SIGUSR1);
  printf("done\n");
  return 0;
}
