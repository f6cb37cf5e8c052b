/* A spy in C, which sees malloc as well. */
#include <stdio.h>
#include <stdlib.h>

#include "spy/malloc_spy.h"

struct Totals {
  unsigned allocations;
  unsigned frees;
};

static SIZE_T BeforeAlloc(void* context, SIZE_T bytes) {
  ((struct Totals*)context)->allocations += bytes == 777;
  return bytes;
}

static void* BeforeFree(void* context, void* block, BOOL spied) {
  ((struct Totals*)context)->frees += spied != 0;
  return block;
}

static const struct mallocspy_hooks kHooks = {.pre_alloc = BeforeAlloc, .pre_free = BeforeFree};

int main(void) {
  static struct Totals totals;
  if (FAILED(mallocspy_add_hooks(&kHooks, &totals, MALLOCSPY_SEE_MALLOC))) return 1;
  for (int i = 0; i < 3; ++i) {
    void* volatile block = malloc(777);
    free(block);
  }
  CoTaskMemFree(CoTaskMemAlloc(777));
  printf("revoked: %s\n", mallocspy_remove_hooks(&kHooks, &totals) == S_OK ? "yes" : "no");
  printf("%u allocations of 777 bytes, %u frees\n", totals.allocations, totals.frees);
  return 0;
}
