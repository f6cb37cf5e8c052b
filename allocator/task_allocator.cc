// The task allocator: the one IMalloc of the process and the CoTaskMem functions, which are the same operations.
#include "allocator/entrance.h"
#include "spy/malloc_spy.h"

namespace mallocspy {
namespace {

class TaskAllocator final : public IMalloc {
 public:
  HRESULT STDMETHODCALLTYPE QueryInterface(REFIID iid, void** out) override {
    if (out == nullptr) return E_POINTER;
    const bool known = IsEqualIID(iid, IID_IUnknown) || IsEqualIID(iid, IID_IMalloc);
    *out = known ? this : nullptr;
    return known ? S_OK : E_NOINTERFACE;
  }
  // It lives as long as the process; the counts are what a caller may expect to see.
  ULONG STDMETHODCALLTYPE AddRef() override { return 2; }
  ULONG STDMETHODCALLTYPE Release() override { return 1; }

  void* STDMETHODCALLTYPE Alloc(SIZE_T bytes) override {
    return entrance::Allocate(bytes, {.door = Door::kTask}, MALLOCSPY_DOOR_FRAME());
  }
  void* STDMETHODCALLTYPE Realloc(void* block, SIZE_T bytes) override {
    return entrance::Reallocate(block, bytes, Door::kTask, MALLOCSPY_DOOR_FRAME());
  }
  void STDMETHODCALLTYPE Free(void* block) override {
    entrance::Deallocate(block, Door::kTask, MALLOCSPY_DOOR_FRAME());
  }
  SIZE_T STDMETHODCALLTYPE GetSize(void* block) override {
    return entrance::SizeOf(block, Door::kTask, MALLOCSPY_DOOR_FRAME());
  }
  int STDMETHODCALLTYPE DidAlloc(void* block) override {
    return entrance::DidAlloc(block, Door::kTask, MALLOCSPY_DOOR_FRAME());
  }
  void STDMETHODCALLTYPE HeapMinimize() override { entrance::Minimize(Door::kTask, MALLOCSPY_DOOR_FRAME()); }
};

// Never destroyed: blocks are freed after the last destructor.
constinit TaskAllocator task_allocator;

}  // namespace
}  // namespace mallocspy

using mallocspy::Door;

extern "C" {

MALLOCSPY_API HRESULT STDAPICALLTYPE CoGetMalloc(DWORD context, LPMALLOC* out) {
  if (out == nullptr) return E_INVALIDARG;
  *out = context == 1 ? &mallocspy::task_allocator : nullptr;
  return context == 1 ? S_OK : E_INVALIDARG;
}

MALLOCSPY_API void* STDAPICALLTYPE CoTaskMemAlloc(SIZE_T bytes) {
  return mallocspy::entrance::Allocate(bytes, {.door = Door::kTask}, MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_API void* STDAPICALLTYPE CoTaskMemRealloc(void* block, SIZE_T bytes) {
  return mallocspy::entrance::Reallocate(block, bytes, Door::kTask, MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_API void STDAPICALLTYPE CoTaskMemFree(void* block) {
  mallocspy::entrance::Deallocate(block, Door::kTask, MALLOCSPY_DOOR_FRAME());
}

}  // extern "C"
