// main ends as a thread; the process goes on until the last thread is done.
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static void Leak(void) {
  for (int i = 0; i < 3; ++i) {
    void* volatile block = malloc(27);  // leak: 3 blocks 81 bytes malloc
    (void)block;
  }
}

static void* Work(void* unused) {
  usleep(20000);
  void* volatile block = malloc(31);  // leak: 1 blocks 31 bytes malloc
  (void)block;
  return unused;
}

int main(void) {
  Leak();
  pthread_t thread;
  pthread_create(&thread, NULL, Work, NULL);
  pthread_exit(NULL);
}
