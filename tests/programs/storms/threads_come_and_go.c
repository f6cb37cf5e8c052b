// Threads are made and ended all the time, joined, detached or cancelled, while another one ends the process.
// also: what a thread holds just then
// The leak's class is left open: its block may lie where one of a thread that ended was, and libc keeps the stacks of those, as they are.
// repeats: 3
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_int made;

// Far from what its caller has below its stack pointer, which may be in use.
__attribute__((noinline)) static void Lose(void) {
  volatile char apart[512] = {0};
  void* volatile lost = malloc(35);  // leak: 1 block 35 bytes malloc
  if (lost != NULL && apart[0] == 0) lost = NULL;
}

static void* Short(void* unused) {
  free(malloc(300));
  ++made;
  return unused;
}

static void* Endless(void* unused) {
  for (;;) {
    free(malloc(301));
    pthread_testcancel();
  }
  return unused;
}

static void* Join(void* unused) {
  for (pthread_t thread;;) {
    if (pthread_create(&thread, NULL, Short, NULL) == 0) pthread_join(thread, NULL);
  }
  return unused;
}

static void* Detach(void* unused) {
  for (pthread_t thread;;) {
    if (pthread_create(&thread, NULL, Short, NULL) == 0) pthread_detach(thread);
    usleep(20);
  }
  return unused;
}

static void* Cancel(void* unused) {
  for (pthread_t thread;;) {
    if (pthread_create(&thread, NULL, Endless, NULL) != 0) continue;
    usleep(100);
    pthread_cancel(thread);
    pthread_join(thread, NULL);
  }
  return unused;
}

static void* End(void* unused) {
  while (made < 300) usleep(100);
  Lose();
  exit(9);  // exit: 9
  return unused;
}

int main(void) {
  void* (*const work[])(void*) = {Join, Detach, Cancel, End};
  pthread_t threads[4];
  for (int i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, work[i], NULL);
  pthread_join(threads[3], NULL);
  return 0;
}
