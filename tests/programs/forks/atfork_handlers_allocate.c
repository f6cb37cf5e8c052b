// Handlers of pthread_atfork allocate and free, before and after the fork.
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void* carried;

static void Prepare(void) { carried = malloc(137); }
static void Parent(void) { free(carried); }
static void Child(void) {
  free(carried);
  carried = malloc(139);  // child-leak: 5 blocks 695 bytes malloc
}

int main(void) {
  pthread_atfork(Prepare, Parent, Child);
  for (int i = 0; i < 5; ++i) {
    if (fork() == 0) exit(0);
    wait(NULL);
  }
  return 0;
}
