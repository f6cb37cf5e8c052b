// A library leaks and is unloaded: the leak keeps its function, file and line.
// library: unloaded_library_leak_library
#include <dlfcn.h>
#include <stdlib.h>

int main(void) {
  void* library = dlopen(LIBRARY_FOLDER "/libunloaded_library_leak_library.so", RTLD_NOW);
  if (library == NULL) return 1;
  void (*leak)(void) = (void (*)(void))dlsym(library, "LeakInLibrary");
  leak();
  leak();
  if (dlclose(library) != 0) return 2;
  return dlopen(LIBRARY_FOLDER "/libunloaded_library_leak_library.so", RTLD_NOW | RTLD_NOLOAD) != NULL ? 3 : 0;
}
