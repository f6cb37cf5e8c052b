// Memory of mmap is no block.
#include <stdlib.h>
#include <sys/mman.h>

int main(void) {
  void* mapping = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  free(mapping);  // error: invalid-free
  munmap(mapping, 4096);
  return 0;
}
