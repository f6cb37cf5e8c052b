// thread_per_task TASKS: a short thread for each task, two at a time, with a few blocks each.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void* Run(void* argument) {
  const uintptr_t task = (uintptr_t)argument;
  char* blocks[16];
  uintptr_t sum = 0;
  for (size_t i = 0; i < 16; ++i) {
    const size_t bytes = 16 + (task * 31 + i * 17) % 240;
    blocks[i] = malloc(bytes);
    if (blocks[i] == NULL) abort();
    memset(blocks[i], (int)(task + i), bytes);
  }
  for (size_t i = 0; i < 16; ++i) {
    sum += (unsigned char)blocks[i][7];
    free(blocks[i]);
  }
  return (void*)sum;
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: thread_per_task TASKS\n");
    return 2;
  }
  const uintptr_t tasks = strtoul(argv[1], NULL, 10);
  uintptr_t sum = 0;
  for (uintptr_t task = 0; task < tasks; task += 2) {
    pthread_t threads[2];
    for (uintptr_t i = 0; i < 2; ++i) {
      if (pthread_create(&threads[i], NULL, Run, (void*)(task + i)) != 0) return 1;
    }
    for (int i = 0; i < 2; ++i) {
      void* result;
      pthread_join(threads[i], &result);
      sum += (uintptr_t)result;
    }
  }
  printf("%lu\n", (unsigned long)sum);
  return 0;
}
