// A source written for Windows: it includes Windows' names and compiles with the include directory `com`.
#include <objbase.h>
#include <objidl.h>
#include <stdio.h>

int main() {
  LPMALLOC task = NULL;
  HRESULT hr = CoGetMalloc(1, &task);
  if (FAILED(hr)) return 1;
  void* block = task->Alloc(27);
  printf("size %lu, mine %d\n", static_cast<unsigned long>(task->GetSize(block)), task->DidAlloc(block));
  task->Free(block);
  task->Release();
  printf("no spy to revoke: %s\n", CoRevokeMallocSpy() == CO_E_OBJNOTREG ? "CO_E_OBJNOTREG" : "unexpected");
  return 0;
}
