// Leaks before main: in the program's .preinit_array, ahead of every constructor, and in a constructor.
#include <stdlib.h>

static void* volatile kept;

static void Preinit(int argc, char** argv, char** environment) {
  (void)argc, (void)argv, (void)environment;
  kept = malloc(79);  // leak: 1 blocks 79 bytes malloc
}

__attribute__((section(".preinit_array"), used)) static void (*preinit)(int, char**, char**) = Preinit;

__attribute__((constructor)) static void Construct(void) {
  kept = malloc(83);  // leak: 1 blocks 83 bytes malloc
}

int main(void) { return 0; }
