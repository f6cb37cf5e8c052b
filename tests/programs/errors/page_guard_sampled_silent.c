// One of a hundred blocks beside a page, in threads, while others are made and freed as ever.
// library options: page_guard=100:page_guard_percent=100:page_guard_max_bytes=4096
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void* Work(void* argument) {
  (void)argument;
  static __thread char* blocks[500];
  for (int i = 0; i < 100000; ++i) {
    char** block = &blocks[(i * 7919) % 500];
    free(*block);
    *block = malloc((size_t)i % 600);
    memset(*block, i, (size_t)i % 600);
    if (i % 5 == 0) *block = realloc(*block, (size_t)i % 900 + 1);
  }
  for (int i = 0; i < 500; ++i) free(blocks[i]);
  return NULL;
}

int main(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, Work, NULL);
  for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
  return 0;
}
