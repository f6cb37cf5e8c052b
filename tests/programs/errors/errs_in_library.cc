// A library errs, alone and together with the program, in the main thread and in another.
// library: errs_in_library_library
#include <dlfcn.h>

#include <thread>

int main() {
  void* library = dlopen(LIBRARY_FOLDER "/liberrs_in_library_library.so", RTLD_NOW);
  const auto errs = reinterpret_cast<void (*)()>(dlsym(library, "LibraryErrs"));
  const auto frees = reinterpret_cast<void (*)(void*)>(dlsym(library, "LibraryFrees"));
  errs();
  std::thread([frees] {
    frees(::operator new(70));  // at: program
  }).join();
}
