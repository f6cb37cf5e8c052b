// One thread allocates while it holds the loader's lock, another loads and unloads libraries, a third only allocates.
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_int stop;

static int Allocate(struct dl_phdr_info* module, size_t size, void* unused) {
  (void)module, (void)unused;
  free(malloc(size));
  return 0;
}

static void* Walk(void* unused) {
  while (!atomic_load(&stop)) dl_iterate_phdr(Allocate, NULL);
  return unused;
}

static void* AllocateOnly(void* unused) {
  while (!atomic_load(&stop)) free(realloc(malloc(10), 1000));
  return unused;
}

int main(void) {
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, Walk, NULL);
  pthread_create(&threads[1], NULL, AllocateOnly, NULL);
  for (int i = 0; i < 300; ++i) {
    void* library = dlopen(LIBRARY_FOLDER "/libdeepbind_library.so", RTLD_NOW);
    void* (*make)(void) = (void* (*)(void))dlsym(library, "MakeInLibrary");
    free(make());
    if (dlsym(library, "NoSuchSymbol") != NULL || dlopen("/nonexistent.so", RTLD_NOW) != NULL) return 1;
    dlclose(library);
  }
  atomic_store(&stop, 1);
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  printf("done\n");
  return 0;
}
