// The same as page_guard_silent.c with the inaccessible page in front: blocks of all sizes and alignments, written to their ends, resized,
// zeroed, freed by threads and in children, held only from other such blocks, made inaccessible by the program itself.
// library options: page_guard=1:page_guard_side=before
// degraded: more than 1 MiB
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void* FreeAll(void* argument) {
  void** blocks = argument;
  for (int i = 0; i < 1000; ++i) free(blocks[i]);
  return NULL;
}

static int Zeroed(const char* block, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) {
    if (block[i] != 0) return 0;
  }
  return 1;
}

struct Link {
  struct Link* next;
};
static struct Link* chain;

static char* closed;
static void OpenClosed(int number) {
  (void)number;
  mprotect(closed, 4096, PROT_READ | PROT_WRITE);
}

int main(void) {
  static char* blocks[1000];
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < 1000; ++i) {
      blocks[i] = calloc(1, i);
      if ((uintptr_t)blocks[i] % 16 != 0 || malloc_usable_size(blocks[i]) < i || !Zeroed(blocks[i], i)) return 1;
      memset(blocks[i], 1, i);
      if (i % 3 == 0) blocks[i] = realloc(blocks[i], i * 20 + 1);
      if (i % 3 == 0 && i != 0 && (blocks[i][0] != 1 || blocks[i][i - 1] != 1)) return 2;
      if (i % 3 == 0) memset(blocks[i], 2, i * 20 + 1);
      if (i % 7 == 0) {
        free(blocks[i]);
        const size_t alignment = (size_t)32 << i % 10;
        blocks[i] = memalign(alignment, i);
        if ((uintptr_t)blocks[i] % alignment != 0) return 3;
        memset(blocks[i], 3, i);
      }
    }
    pthread_t thread;
    pthread_create(&thread, NULL, FreeAll, blocks);
    pthread_join(thread, NULL);
  }
  for (int i = 0; i < 1000; ++i) blocks[i] = malloc(100);
  const pid_t child = fork();
  FreeAll(blocks);
  for (int i = 0; i < 100; ++i) {
    char* large = malloc((size_t)i * 20000);
    memset(large, 1, (size_t)i * 20000);
    free(large);
  }
  if (child == 0) return 0;
  int status;
  if (waitpid(child, &status, 0) != child || status != 0) return 4;
  for (int i = 0; i < 100; ++i) {
    struct Link* link = malloc(sizeof(*link));  // leak: 100 blocks 800 bytes malloc is reachable from global
    link->next = chain;
    chain = link;
  }
  // System calls look at memory, too.
  int ends[2];
  char* text = malloc(5000);
  memset(text, 7, 5000);
  if (pipe(ends) != 0 || write(ends[1], text, 5000) != 5000 || read(ends[0], text, 5000) != 5000) return 5;
  free(text);
  signal(SIGSEGV, OpenClosed);
  closed = memalign(4096, 4096);
  mprotect(closed, 4096, PROT_NONE);
  closed[100] = 1;
  free(closed);
  return 0;
}
