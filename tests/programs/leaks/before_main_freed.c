// What was allocated before main and is freed in main or after it is no leak.
#include <stdlib.h>

static void* early;
static void* late;

static void Preinit(int argc, char** argv, char** environment) {
  (void)argc, (void)argv, (void)environment;
  early = malloc(79);
}

__attribute__((section(".preinit_array"), used)) static void (*preinit)(int, char**, char**) = Preinit;

__attribute__((constructor)) static void Construct(void) { late = malloc(83); }
__attribute__((destructor)) static void Destroy(void) { free(late); }

int main(void) {
  free(early);
  return 0;
}
