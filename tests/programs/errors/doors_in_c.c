// The errors that C's doors can meet, each with size, doors and stacks.
#include <stdlib.h>
#include <string.h>

__attribute__((weak)) void free_sized(void* block, size_t bytes);  // C23; of the library here
__attribute__((weak)) void free_aligned_sized(void* block, size_t alignment, size_t bytes);

static int global[20];

static void* Make(size_t bytes) {
  return malloc(bytes);  // at: made
}
static void Free(void* block) {
  free(block);  // at: freed
}

int main(void) {
  void* volatile block = Make(27);
  free_sized(block, 28);  // error: sized-delete-mismatch size 27 value 28 made malloc used malloc allocated made
  block = aligned_alloc(64, 128);              // at: aligned
  free_aligned_sized(block, 64, 100);          // error: sized-delete-mismatch size 128 value 100 made aligned_malloc allocated aligned
  block = aligned_alloc(64, 128);
  free_aligned_sized(block, 32, 128);  // error: bad-alignment size 128 value 32 made aligned_malloc
  char local[32] = "";
  block = local + 8;
  free(block);  // error: invalid-free
  block = &global[3];
  free(block);  // error: invalid-free
  block = realloc(block, 100);  // error: invalid-free
  block = Make(50);
  void* volatile inside = (char*)block + 16;
  free(inside);           // error: invalid-free size 50 value 16 made malloc allocated made
  inside = realloc(inside, 10);  // error: invalid-free size 50 value 16 made malloc allocated made
  inside = (char*)block + 3;
  free_sized(inside, 3);  // error: invalid-free size 50 value 3 made malloc allocated made
  Free(block);
  free(block);               // error: double-free freed freed
  block = realloc(block, 5);  // error: double-free freed freed
  return 0;
}
// library options: quarantine_mb=1
