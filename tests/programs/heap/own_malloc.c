// The program has a malloc of its own, which comes before every library's.
// verdict: incomplete
#include <stddef.h>
#include <stdio.h>

static _Alignas(16) char memory[1 << 20];
static size_t used;

void* malloc(size_t bytes) {
  const size_t rounded = (bytes + 15) / 16 * 16;
  if (rounded > sizeof(memory) - used) return NULL;
  used += rounded;
  return memory + used - rounded;
}
void* calloc(size_t count, size_t bytes) { return malloc(count * bytes); }
void* realloc(void* block, size_t bytes) {
  char* fresh = malloc(bytes);
  for (size_t i = 0; block != NULL && i < bytes; ++i) fresh[i] = ((char*)block)[i];
  return fresh;
}
void free(void* block) { (void)block; }

int main(void) {
  void* volatile block = malloc(27);
  printf("%s\n", (char*)block >= memory && (char*)block < memory + sizeof(memory) ? "own" : "foreign");
  return 0;
}
