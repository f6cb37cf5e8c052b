// What a thread held on its stack when it ended, which libc keeps for the next one, is held no more; but what it returned is, and what
// lies on a stack that the program gave it.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void* Hold(void* returned) {
  void* volatile held[200];
  for (int i = 0; i < 200; ++i) held[i] = NULL;
  held[100] = malloc(40);  // leak: 1 block 40 bytes malloc is definite
  return returned != NULL && held[100] != NULL ? malloc(41) : NULL;  // leak: 1 block 41 bytes malloc is reachable
}

static void* Leave(void* unused) { return unused; }

int main(void) {
  pthread_t thread;
  static int returns;
  pthread_create(&thread, NULL, Hold, &returns);
  while (pthread_tryjoin_np(thread, NULL) != 0) {
  }
  // A stack of the program's own, used as memory once its thread has ended.
  const size_t bytes = 1 << 20;
  char* stack = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, stack, bytes);
  pthread_create(&thread, &attributes, Leave, NULL);
  pthread_join(thread, NULL);
  pthread_attr_destroy(&attributes);
  void* block = malloc(42);  // leak: 1 block 42 bytes malloc is reachable from mapping
  memcpy(stack + 4096, &block, sizeof(block));
  block = NULL;
  return 0;
}
