// A library loaded with RTLD_DEEPBIND would see libc's malloc before ours: its leak is recorded all the same.
// library: deepbind_library
// degraded: DEEPBIND
#include <dlfcn.h>
#include <stdlib.h>

int main(void) {
  void* library = dlopen(LIBRARY_FOLDER "/libdeepbind_library.so", RTLD_NOW | RTLD_DEEPBIND);
  if (library == NULL) return 1;
  void* (*make)(void) = (void* (*)(void))dlsym(library, "MakeInLibrary");
  free(make());
  void* volatile kept = make();
  (void)kept;
  return 0;
}
