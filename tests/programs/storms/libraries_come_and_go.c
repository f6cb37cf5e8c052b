// Threads open and close libraries while the process ends.
// also: what the loader holds just then
// repeats: 3
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_int opened;

// Far from what its caller has below its stack pointer, which may be in use.
__attribute__((noinline)) static void Lose(void) {
  volatile char apart[512] = {0};
  void* volatile lost = malloc(36);  // leak: 1 block 36 bytes malloc is definite
  if (lost != NULL && apart[0] == 0) lost = NULL;
}

static void* Open(void* name) {
  for (;; ++opened) {
    void* library = dlopen(name, RTLD_NOW);
    if (library == NULL) abort();
    dlclose(library);
  }
  return NULL;
}

int main(void) {
  char* names[] = {LIBRARY_FOLDER "/libthread_local_library.so", LIBRARY_FOLDER "/libclosed_holder_library.so",
                   LIBRARY_FOLDER "/libunloaded_library_leak_library.so"};
  pthread_t threads[3];
  for (int i = 0; i < 3; ++i) pthread_create(&threads[i], NULL, Open, names[i]);
  Lose();
  while (opened < 100) usleep(1000);
  return 0;
}
