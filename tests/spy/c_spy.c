#include "tests/spy/c_spy.h"

/* ---- Hooks ---- */

#define COUNT(member) (++((struct c_spy_counts*)context)->member)

static SIZE_T CountPreAlloc(void* context, SIZE_T bytes) { return COUNT(pre_alloc), bytes; }
static void* CountPostAlloc(void* context, void* actual) { return COUNT(post_alloc), actual; }
static void* CountPreFree(void* context, void* request, BOOL spied) {
  if (spied) COUNT(spied);
  return COUNT(pre_free), request;
}
static void CountPostFree(void* context, BOOL spied) {
  (void)spied;
  COUNT(post_free);
}
static SIZE_T CountPreRealloc(void* context, void* request, SIZE_T bytes, void** new_request, BOOL spied) {
  (void)spied;
  *new_request = request;
  return COUNT(pre_realloc), bytes;
}
static void* CountPostRealloc(void* context, void* actual, BOOL spied) {
  (void)spied;
  return COUNT(post_realloc), actual;
}
static void* CountPreGetSize(void* context, void* request, BOOL spied) {
  (void)spied;
  return COUNT(pre_get_size), request;
}
static SIZE_T CountPostGetSize(void* context, SIZE_T actual, BOOL spied) {
  (void)spied;
  return COUNT(post_get_size), actual;
}
static void* CountPreDidAlloc(void* context, void* request, BOOL spied) {
  (void)spied;
  return COUNT(pre_did_alloc), request;
}
static int CountPostDidAlloc(void* context, void* request, BOOL spied, int actual) {
  (void)request;
  (void)spied;
  return COUNT(post_did_alloc), actual;
}
static void CountPreHeapMinimize(void* context) { COUNT(pre_heap_minimize); }
static void CountPostHeapMinimize(void* context) { COUNT(post_heap_minimize); }
static void CountReleased(void* context) { COUNT(released); }

const struct mallocspy_hooks c_spy_counting_hooks = {
    CountPreAlloc,        CountPostAlloc,        CountPreFree,     CountPostFree,    CountPreRealloc,
    CountPostRealloc,     CountPreGetSize,       CountPostGetSize, CountPreDidAlloc, CountPostDidAlloc,
    CountPreHeapMinimize, CountPostHeapMinimize, CountReleased};

static SIZE_T ShiftSize(void* context, SIZE_T bytes) {
  (void)context;
  return bytes + 32;
}
static void* ShiftForth(void* context, void* actual) {
  (void)context;
  return actual == NULL ? NULL : (char*)actual + 32;
}
static void* ShiftBack(void* context, void* request, BOOL spied) {
  (void)context;
  return spied ? (char*)request - 32 : request;
}

/* No post_free, no get_size, no released: these are left to what is done without them. */
const struct mallocspy_hooks c_spy_shifting_hooks = {
    .pre_alloc = ShiftSize, .post_alloc = ShiftForth, .pre_free = ShiftBack, .pre_did_alloc = ShiftBack};

/* ---- An object ---- */

static unsigned references;
static struct c_spy_counts* object_counts;

static HRESULT QueryInterface(IMallocSpy* This, REFIID riid, void** out) {
  if (!IsEqualIID(riid, &IID_IUnknown) && !IsEqualIID(riid, &IID_IMallocSpy)) {
    *out = NULL;
    return E_NOINTERFACE;
  }
  This->lpVtbl->AddRef(This);
  *out = This;
  return S_OK;
}
static ULONG AddRef(IMallocSpy* This) {
  (void)This;
  return ++references;
}
static ULONG Release(IMallocSpy* This) {
  (void)This;
  return --references;
}
static SIZE_T PreAlloc(IMallocSpy* This, SIZE_T bytes) {
  (void)This;
  return CountPreAlloc(object_counts, bytes);
}
static void* PostAlloc(IMallocSpy* This, void* actual) {
  (void)This;
  return CountPostAlloc(object_counts, actual);
}
static void* PreFree(IMallocSpy* This, void* request, BOOL spied) {
  (void)This;
  return CountPreFree(object_counts, request, spied);
}
static void PostFree(IMallocSpy* This, BOOL spied) {
  (void)This;
  CountPostFree(object_counts, spied);
}
static SIZE_T PreRealloc(IMallocSpy* This, void* request, SIZE_T bytes, void** new_request, BOOL spied) {
  (void)This;
  return CountPreRealloc(object_counts, request, bytes, new_request, spied);
}
static void* PostRealloc(IMallocSpy* This, void* actual, BOOL spied) {
  (void)This;
  return CountPostRealloc(object_counts, actual, spied);
}
static void* PreGetSize(IMallocSpy* This, void* request, BOOL spied) {
  (void)This;
  return CountPreGetSize(object_counts, request, spied);
}
static SIZE_T PostGetSize(IMallocSpy* This, SIZE_T actual, BOOL spied) {
  (void)This;
  return CountPostGetSize(object_counts, actual, spied);
}
static void* PreDidAlloc(IMallocSpy* This, void* request, BOOL spied) {
  (void)This;
  return CountPreDidAlloc(object_counts, request, spied);
}
static int PostDidAlloc(IMallocSpy* This, void* request, BOOL spied, int actual) {
  (void)This;
  return CountPostDidAlloc(object_counts, request, spied, actual);
}
static void PreHeapMinimize(IMallocSpy* This) {
  (void)This;
  CountPreHeapMinimize(object_counts);
}
static void PostHeapMinimize(IMallocSpy* This) {
  (void)This;
  CountPostHeapMinimize(object_counts);
}

IMallocSpy* c_spy_object(struct c_spy_counts* counts) {
  static const IMallocSpyVtbl vtbl = {QueryInterface, AddRef,      Release,      PreAlloc,        PostAlloc,
                                      PreFree,        PostFree,    PreRealloc,   PostRealloc,     PreGetSize,
                                      PostGetSize,    PreDidAlloc, PostDidAlloc, PreHeapMinimize, PostHeapMinimize};
  static IMallocSpy spy = {&vtbl};
  object_counts = counts;
  return &spy;
}

unsigned c_spy_object_references(void) { return references; }

/* ---- The other way: C calls C++ ---- */

void c_spy_call_all(IMallocSpy* spy) {
  static char block[8];
  void* out = NULL;
  spy->lpVtbl->QueryInterface(spy, &IID_IMallocSpy, &out);
  spy->lpVtbl->AddRef(spy);
  spy->lpVtbl->Release(spy);
  spy->lpVtbl->PreAlloc(spy, 1);
  spy->lpVtbl->PostAlloc(spy, block);
  spy->lpVtbl->PreFree(spy, block, TRUE);
  spy->lpVtbl->PostFree(spy, FALSE);
  spy->lpVtbl->PreRealloc(spy, block, 2, &out, TRUE);
  spy->lpVtbl->PostRealloc(spy, block, FALSE);
  spy->lpVtbl->PreGetSize(spy, block, TRUE);
  spy->lpVtbl->PostGetSize(spy, 3, FALSE);
  spy->lpVtbl->PreDidAlloc(spy, block, TRUE);
  spy->lpVtbl->PostDidAlloc(spy, block, FALSE, 1);
  spy->lpVtbl->PreHeapMinimize(spy);
  spy->lpVtbl->PostHeapMinimize(spy);
}

int c_spy_values_are_right(void) {
  LONG count = 5;
  return sizeof(HRESULT) == 4 && sizeof(ULONG) == 4 && sizeof(DWORD) == 4 && sizeof(BOOL) == 4 &&
         sizeof(SIZE_T) == sizeof(size_t) && sizeof(GUID) == 16 && FAILED(E_POINTER) && SUCCEEDED(S_OK) &&
         InterlockedIncrement(&count) == 6 && InterlockedDecrement(&count) == 5 && count == 5 &&
         IsEqualIID(&IID_IMalloc, &IID_IMalloc) && !IsEqualIID(&IID_IMalloc, &IID_IMallocSpy);
}
