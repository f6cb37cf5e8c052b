// A library is loaded and unloaded fifty times, at changing addresses, and leaks each time.
// library: reloaded_library_leak_library
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/mman.h>

int main(void) {
  for (int i = 0; i < 50; ++i) {
    void* library = dlopen(LIBRARY_FOLDER "/libreloaded_library_leak_library.so", RTLD_NOW);
    if (library == NULL) return 1;
    void (*leak)(void) = (void (*)(void))dlsym(library, "LeakInReloadedLibrary");
    leak();
    if (dlclose(library) != 0) return 2;
    // Takes the place where the library was.
    mmap((void*)((size_t)leak & ~(size_t)0xffff), 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  return 0;
}
