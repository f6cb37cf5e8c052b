// A mapping of the program's own, private or shared, holds blocks; also one with little in it.
#include <stdlib.h>
#include <sys/mman.h>

int main(void) {
  void** arena = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  arena[100] = malloc(51);  // leak: 1 block 51 bytes malloc is reachable from mapping
  void** shared = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  shared[100] = malloc(52);  // leak: 1 block 52 bytes malloc is reachable from mapping
  void** sparse = mmap(NULL, (size_t)1 << 33, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  sparse[(size_t)1 << 29] = malloc(53);  // leak: 1 block 53 bytes malloc is reachable from mapping
  return 0;
}
