// A thread that ended takes its stack with it, and overwrote what it had elsewhere.
#include <pthread.h>
#include <stdlib.h>

static void* g_slot;

static void* Work(void* unused) {
  void* volatile held = malloc(80);  // leak: 1 block 80 bytes malloc is definite
  g_slot = malloc(81);               // leak: 1 block 81 bytes malloc is definite
  g_slot = NULL;
  return held != NULL ? unused : NULL;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, Work, NULL);
  pthread_join(thread, NULL);
  exit(0);
}
