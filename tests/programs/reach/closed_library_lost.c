// What only a library held that was closed.
// library: closed_holder_library
#include <dlfcn.h>
#include <stdlib.h>

int main(void) {
  void* library = dlopen(LIBRARY_FOLDER "/libclosed_holder_library.so", RTLD_NOW);
  if (library == NULL) return 1;
  ((void (*)(void))dlsym(library, "Hold"))();
  return dlclose(library);
}
