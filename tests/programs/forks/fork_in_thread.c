// A thread forks while others allocate; the child allocates at once and ends.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int stop;

static void* Allocate(void* unused) {
  while (!atomic_load(&stop)) free(malloc(71));
  return unused;
}

static void* Fork(void* unused) {
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      for (int j = 0; j < 100; ++j) free(malloc(j));
      _exit(0);
    }
    waitpid(child, NULL, 0);
  }
  return unused;
}

int main(void) {
  pthread_t threads[3];
  for (int i = 0; i < 2; ++i) pthread_create(&threads[i], NULL, Allocate, NULL);
  pthread_create(&threads[2], NULL, Fork, NULL);
  pthread_join(threads[2], NULL);
  atomic_store(&stop, 1);
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  return 0;
}
