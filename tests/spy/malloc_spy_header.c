#define COBJMACROS
#include "spy/malloc_spy.h"

/* As a program with strict warnings uses it. */
int UseTheTaskAllocator(void);
int UseTheTaskAllocator(void) {
  IMalloc* task = NULL;
  void* block;
  if (FAILED(CoGetMalloc(1, &task))) return 1;
  block = IMalloc_Alloc(task, 27);
  block = IMalloc_Realloc(task, block, 28);
  if (IMalloc_GetSize(task, block) != 28 || IMalloc_DidAlloc(task, block) != 1) return 1;
  IMalloc_Free(task, block);
  IMalloc_HeapMinimize(task);
  return IMalloc_Release(task) == 0;
}
