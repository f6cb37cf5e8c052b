// More live blocks than the kernel allows mappings: those that found no place beside a page are guarded by bytes, and the report says so.
// library options: page_guard=1
// degraded: page_guard:
// degraded: vm.max_map_count
#include <stdlib.h>

int main(void) {
  enum { kBlocks = 1000000 };
  static char* blocks[kBlocks];
  for (int i = 0; i < kBlocks; ++i) {
    blocks[i] = malloc(i % 50 + 1);
    blocks[i][i % 50] = 1;
  }
  char* volatile late = blocks[kBlocks - 1];
  late[50] = 1;
  free(late);  // error: heap-overflow
  for (int i = 0; i < kBlocks - 1; ++i) free(blocks[i]);
  const char* volatile first = malloc(16);
  free((void*)first);
  return first[0];  // error: use-after-free-read
}
