// Blocks come and go under fill and quarantine, are resized, zeroed, aligned, too large to be kept, freed in other threads and in a child.
// library options: quarantine_mb=1:fill=1
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
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

int main(void) {
  static void* blocks[1000];
  for (int round = 0; round < 20; ++round) {
    for (size_t i = 0; i < 1000; ++i) {
      blocks[i] = calloc(1, i);
      if (!Zeroed(blocks[i], i)) return 1;
      if (i % 3 == 0) blocks[i] = realloc(blocks[i], i * 2 + 1);
      if (i % 3 == 0 && !Zeroed(blocks[i], i)) return 2;
      if (i % 7 == 0) {
        free(blocks[i]);
        blocks[i] = aligned_alloc(64, 64 + i / 64 * 64);
      }
    }
    pthread_t thread;
    pthread_create(&thread, NULL, FreeAll, blocks);
    pthread_join(thread, NULL);
  }
  for (int i = 0; i < 1000; ++i) blocks[i] = malloc(100);
  const pid_t child = fork();
  FreeAll(blocks);
  char* large = malloc(8 << 20);
  memset(large, 1, 8 << 20);
  free(large);
  if (child == 0) return 0;
  int status;
  return waitpid(child, &status, 0) == child && status == 0 ? 0 : 3;
}
