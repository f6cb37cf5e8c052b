// Thread-local variables of the program and of a library that was opened later, and thread-specific data, of a thread that still runs.
// library: thread_local_library
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static _Thread_local void* own;
static pthread_key_t first_key;
static pthread_key_t far_key;
static atomic_int ready;
static void (*keep)(void);

static void* Work(void* fds) {
  own = malloc(41);                           // leak: 1 block 41 bytes malloc is reachable from thread-local
  pthread_setspecific(first_key, malloc(42));  // leak: 1 block 42 bytes malloc is reachable from thread-local
  pthread_setspecific(far_key, malloc(43));    // leak: 1 block 43 bytes malloc is reachable from thread-local
  keep();
  char byte;
  ++ready;
  return read(((int*)fds)[0], &byte, 1) == 1 ? fds : NULL;
}

int main(void) {
  static int fds[2];
  pthread_t thread;
  void* library = dlopen(LIBRARY_FOLDER "/libthread_local_library.so", RTLD_NOW);
  if (library == NULL || pipe(fds) != 0) return 1;
  keep = (void (*)(void))dlsym(library, "Keep");
  pthread_key_create(&first_key, NULL);
  for (int i = 0; i < 100; ++i) pthread_key_create(&far_key, NULL);
  pthread_create(&thread, NULL, Work, fds);
  while (!ready) usleep(100);
  exit(0);
}
