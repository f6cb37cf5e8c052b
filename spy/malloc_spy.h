// mallocspy: watch and steer a process's heap through COM's IMallocSpy. The one public header, for C++ and C.
//
// A spy is told before and after each heap operation. It may change what is asked for and what is handed out. This
// one puts 16 bytes of its own in front of every block and counts the bytes that are live:
//
//   class CountingSpy : public IMallocSpy {
//    public:
//     STDMETHODIMP QueryInterface(REFIID iid, void** out) override {
//       if (out == nullptr) return E_POINTER;
//       bool mine = IsEqualIID(iid, IID_IUnknown) || IsEqualIID(iid, IID_IMallocSpy);
//       *out = mine ? this : nullptr;
//       if (!mine) return E_NOINTERFACE;
//       AddRef();
//       return S_OK;
//     }
//     STDMETHODIMP_(ULONG) AddRef() override { return InterlockedIncrement(&references_); }
//     STDMETHODIMP_(ULONG) Release() override { return InterlockedDecrement(&references_); }
//
//     STDMETHODIMP_(SIZE_T) PreAlloc(SIZE_T asked) override { return asked_ = asked, asked + 16; }
//     STDMETHODIMP_(void*) PostAlloc(void* block) override {
//       if (block == nullptr) return nullptr;  // memory was exhausted
//       *static_cast<SIZE_T*>(block) = asked_;
//       live_bytes_ += asked_;
//       return static_cast<char*>(block) + 16;
//     }
//     STDMETHODIMP_(void*) PreFree(void* pointer, BOOL spied) override {
//       if (!spied) return pointer;  // older than this spy
//       char* block = static_cast<char*>(pointer) - 16;
//       live_bytes_ -= *reinterpret_cast<SIZE_T*>(block);
//       return block;
//     }
//     ... the other methods move the pointer back in the same way ...
//    private:
//     LONG references_ = 0;
//     SIZE_T asked_ = 0, live_bytes_ = 0;
//   };
//
//   CountingSpy spy;
//   CoRegisterMallocSpy(&spy);         // it sees CoTaskMemAlloc and IMalloc, as on Windows
//   void* block = CoTaskMemAlloc(27);
//   CoTaskMemFree(block);
//   CoRevokeMallocSpy();               // S_OK: nothing it spied is still live
//
// To see malloc, free, new and delete as well, join the chain with
//   mallocspy_add_spy(&spy, MALLOCSPY_SEE_MALLOC);
// or export MallocSpyCreate from a shared library and start any program with
//   mallocspy run --spy=./libmyspy.so:ARGS -- program
// In C fill a `struct mallocspy_hooks` and call mallocspy_add_hooks.
//
// The rules of a spy's methods
//  - From the entry of a Pre method to the return of its Post method no other thread is in any spy. So a method may
//    keep state between the two without a lock, and must not wait for a thread that may allocate.
//  - A method may allocate: its own calls (IMalloc, CoTaskMem*, malloc, new) on this thread bypass every spy.
//  - It must not throw, longjmp out or end its thread.
//  - It gets NULL in PostAlloc and PostRealloc when memory is exhausted.
//  - A wrong answer (too few bytes, a pointer outside its block) is reported as `spy-contract` and set right.
//
// On Windows this header is <objidl.h> and <objbase.h>, and defines nothing of COM.
#ifndef MALLOCSPY_SPY_MALLOC_SPY_H_
#define MALLOCSPY_SPY_MALLOC_SPY_H_

#if defined(_WIN32)

#include <windows.h>
// windows.h may leave COM out (WIN32_LEAN_AND_MEAN).
#include <objbase.h>
#include <objidl.h>

#ifdef __cplusplus
extern "C" {
#endif

#else

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

/* ---- Macros that sources written for Windows use; none is redefined ---- */

#ifndef MALLOCSPY_API
#define MALLOCSPY_API __attribute__((visibility("default")))
#endif

#ifndef EXTERN_C
#ifdef __cplusplus
#define EXTERN_C extern "C"
#else
#define EXTERN_C extern
#endif
#endif
#ifndef STDMETHODCALLTYPE
#define STDMETHODCALLTYPE
#endif
#ifndef STDMETHODVCALLTYPE
#define STDMETHODVCALLTYPE
#endif
#ifndef STDAPICALLTYPE
#define STDAPICALLTYPE
#endif
#ifndef __stdcall
#define __stdcall
#endif
#ifndef WINAPI
#define WINAPI
#endif
#ifndef FAR
#define FAR
#endif
#ifndef __RPC_FAR
#define __RPC_FAR
#endif
#ifndef STDAPI
#define STDAPI EXTERN_C HRESULT STDAPICALLTYPE
#endif
#ifndef STDAPI_
#define STDAPI_(type) EXTERN_C type STDAPICALLTYPE
#endif
#ifndef STDMETHODIMP
#define STDMETHODIMP HRESULT STDMETHODCALLTYPE
#endif
#ifndef STDMETHODIMP_
#define STDMETHODIMP_(type) type STDMETHODCALLTYPE
#endif
#ifndef IFACEMETHODIMP
#define IFACEMETHODIMP STDMETHODIMP
#endif
#ifndef IFACEMETHODIMP_
#define IFACEMETHODIMP_(type) STDMETHODIMP_(type)
#endif
#ifdef __cplusplus
#ifndef STDMETHOD
#define STDMETHOD(method) virtual HRESULT STDMETHODCALLTYPE method
#endif
#ifndef STDMETHOD_
#define STDMETHOD_(type, method) virtual type STDMETHODCALLTYPE method
#endif
#ifndef IFACEMETHOD
#define IFACEMETHOD(method) STDMETHOD(method)
#endif
#ifndef IFACEMETHOD_
#define IFACEMETHOD_(type, method) STDMETHOD_(type, method)
#endif
#ifndef PURE
#define PURE = 0
#endif
#ifndef THIS_
#define THIS_
#endif
#ifndef THIS
#define THIS void
#endif
#ifndef DECLARE_INTERFACE
#define DECLARE_INTERFACE(name) struct name
#endif
#ifndef DECLARE_INTERFACE_
#define DECLARE_INTERFACE_(name, base) struct name : public base
#endif
#else
#ifndef STDMETHOD
#define STDMETHOD(method) HRESULT(STDMETHODCALLTYPE* method)
#endif
#ifndef STDMETHOD_
#define STDMETHOD_(type, method) type(STDMETHODCALLTYPE* method)
#endif
#ifndef PURE
#define PURE
#endif
/* As on Windows, INTERFACE is what the including source defines before it declares an interface. */
#ifndef THIS_
#define THIS_ INTERFACE *This,
#endif
#ifndef THIS
#define THIS INTERFACE* This
#endif
#ifndef DECLARE_INTERFACE
#define DECLARE_INTERFACE(name)         \
  typedef struct name {                 \
    const struct name##Vtbl* lpVtbl;    \
  } name;                               \
  typedef struct name##Vtbl name##Vtbl; \
  struct name##Vtbl
#endif
#ifndef DECLARE_INTERFACE_
#define DECLARE_INTERFACE_(name, base) DECLARE_INTERFACE(name)
#endif
#endif
#ifndef BEGIN_INTERFACE
#define BEGIN_INTERFACE
#endif
#ifndef END_INTERFACE
#define END_INTERFACE
#endif
#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif

/* ---- Types. The widths are those of Windows, where long has 32 bits ---- */

typedef int32_t HRESULT;
typedef int32_t BOOL;
typedef int32_t LONG;
typedef int32_t INT;
typedef uint32_t UINT;
typedef uint32_t ULONG;
typedef uint32_t DWORD;
typedef size_t SIZE_T;
typedef void* LPVOID;
typedef void* PVOID;

typedef struct _GUID {
  uint32_t Data1;
  uint16_t Data2;
  uint16_t Data3;
  uint8_t Data4[8];
} GUID;
typedef GUID IID;

#ifdef __cplusplus
#ifndef REFGUID
#define REFGUID const GUID&
#endif
#ifndef REFIID
#define REFIID const IID&
#endif
inline int IsEqualGUID(REFGUID a, REFGUID b) { return memcmp(&a, &b, sizeof(GUID)) == 0; }
inline bool operator==(REFGUID a, REFGUID b) { return IsEqualGUID(a, b) != 0; }
inline bool operator!=(REFGUID a, REFGUID b) { return IsEqualGUID(a, b) == 0; }
#else
#ifndef REFGUID
#define REFGUID const GUID* const
#endif
#ifndef REFIID
#define REFIID const IID* const
#endif
static inline int IsEqualGUID(REFGUID a, REFGUID b) { return memcmp(a, b, sizeof(GUID)) == 0; }
#endif
#ifndef IsEqualIID
#define IsEqualIID(a, b) IsEqualGUID(a, b)
#endif

/* ---- Values ---- */

#ifndef SUCCEEDED
#define SUCCEEDED(hr) (((HRESULT)(hr)) >= 0)
#endif
#ifndef FAILED
#define FAILED(hr) (((HRESULT)(hr)) < 0)
#endif
#ifndef S_OK
#define S_OK ((HRESULT)0)
#endif
#ifndef S_FALSE
#define S_FALSE ((HRESULT)1)
#endif
#ifndef E_NOTIMPL
#define E_NOTIMPL ((HRESULT)0x80004001)
#endif
#ifndef E_NOINTERFACE
#define E_NOINTERFACE ((HRESULT)0x80004002)
#endif
#ifndef E_POINTER
#define E_POINTER ((HRESULT)0x80004003)
#endif
#ifndef E_FAIL
#define E_FAIL ((HRESULT)0x80004005)
#endif
#ifndef E_UNEXPECTED
#define E_UNEXPECTED ((HRESULT)0x8000FFFF)
#endif
#ifndef E_ACCESSDENIED
#define E_ACCESSDENIED ((HRESULT)0x80070005)
#endif
#ifndef E_OUTOFMEMORY
#define E_OUTOFMEMORY ((HRESULT)0x8007000E)
#endif
#ifndef E_INVALIDARG
#define E_INVALIDARG ((HRESULT)0x80070057)
#endif
#ifndef CO_E_OBJNOTREG
#define CO_E_OBJNOTREG ((HRESULT)0x800401FB)
#endif
#ifndef CO_E_OBJISREG
#define CO_E_OBJISREG ((HRESULT)0x800401FC)
#endif

/* The interface ids. Each module has its own copy, so that a spy's library links without libmallocspy. */
#ifdef __cplusplus
extern "C" {
#endif
#define MALLOCSPY_IID_ __attribute__((weak, visibility("hidden")))
extern const IID IID_IUnknown MALLOCSPY_IID_;
extern const IID IID_IMalloc MALLOCSPY_IID_;
extern const IID IID_IMallocSpy MALLOCSPY_IID_;
const IID IID_IUnknown = {0x00000000, 0x0000, 0x0000, {0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46}};
const IID IID_IMalloc = {0x00000002, 0x0000, 0x0000, {0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46}};
const IID IID_IMallocSpy = {0x0000001D, 0x0000, 0x0000, {0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46}};
#undef MALLOCSPY_IID_
#ifdef __cplusplus
}
#endif

/* ---- Interfaces ---- */

#if defined(__cplusplus) && !defined(CINTERFACE)

/* No virtual destructors: the table of methods is the interface, and objects go by Release, not by delete. */

struct IUnknown {
  virtual HRESULT STDMETHODCALLTYPE QueryInterface(REFIID riid, void** ppvObject) = 0;
  virtual ULONG STDMETHODCALLTYPE AddRef() = 0;
  virtual ULONG STDMETHODCALLTYPE Release() = 0;

 protected:
  ~IUnknown() = default;
};

/* The task allocator. */
struct IMalloc : public IUnknown {
  virtual void* STDMETHODCALLTYPE Alloc(SIZE_T cb) = 0;
  virtual void* STDMETHODCALLTYPE Realloc(void* pv, SIZE_T cb) = 0;
  virtual void STDMETHODCALLTYPE Free(void* pv) = 0;
  /* The bytes requested; (SIZE_T)-1 for NULL. */
  virtual SIZE_T STDMETHODCALLTYPE GetSize(void* pv) = 0;
  /* 1: a live block of this allocator; 0: not; -1: NULL. */
  virtual int STDMETHODCALLTYPE DidAlloc(void* pv) = 0;
  virtual void STDMETHODCALLTYPE HeapMinimize() = 0;

 protected:
  ~IMalloc() = default;
};

/* A spy. fSpyed: the block was handed out by this spy. */
struct IMallocSpy : public IUnknown {
  /* The bytes to allocate in place of cbRequest; 0 for a cbRequest above 0 makes the call fail. */
  virtual SIZE_T STDMETHODCALLTYPE PreAlloc(SIZE_T cbRequest) = 0;
  /* The pointer to hand out for the block pActual, which is NULL when memory is exhausted. */
  virtual void* STDMETHODCALLTYPE PostAlloc(void* pActual) = 0;
  /* The block to free; NULL: none, the spy takes it over. */
  virtual void* STDMETHODCALLTYPE PreFree(void* pRequest, BOOL fSpyed) = 0;
  virtual void STDMETHODCALLTYPE PostFree(BOOL fSpyed) = 0;
  /* As PreAlloc; *ppNewRequest, at first pRequest, is the block to resize. pRequest may be NULL. */
  virtual SIZE_T STDMETHODCALLTYPE PreRealloc(void* pRequest, SIZE_T cbRequest, void** ppNewRequest, BOOL fSpyed) = 0;
  virtual void* STDMETHODCALLTYPE PostRealloc(void* pActual, BOOL fSpyed) = 0;
  virtual void* STDMETHODCALLTYPE PreGetSize(void* pRequest, BOOL fSpyed) = 0;
  virtual SIZE_T STDMETHODCALLTYPE PostGetSize(SIZE_T cbActual, BOOL fSpyed) = 0;
  virtual void* STDMETHODCALLTYPE PreDidAlloc(void* pRequest, BOOL fSpyed) = 0;
  /* pRequest is what PreDidAlloc got, fActual the allocator's answer. */
  virtual int STDMETHODCALLTYPE PostDidAlloc(void* pRequest, BOOL fSpyed, int fActual) = 0;
  virtual void STDMETHODCALLTYPE PreHeapMinimize() = 0;
  virtual void STDMETHODCALLTYPE PostHeapMinimize() = 0;

 protected:
  ~IMallocSpy() = default;
};

#else /* C: the same tables as structs of pointers */

typedef struct IUnknown IUnknown;
typedef struct IMalloc IMalloc;
typedef struct IMallocSpy IMallocSpy;

typedef struct IUnknownVtbl {
  HRESULT(STDMETHODCALLTYPE* QueryInterface)(IUnknown* This, REFIID riid, void** ppvObject);
  ULONG(STDMETHODCALLTYPE* AddRef)(IUnknown* This);
  ULONG(STDMETHODCALLTYPE* Release)(IUnknown* This);
} IUnknownVtbl;

struct IUnknown {
  const IUnknownVtbl* lpVtbl;
};

typedef struct IMallocVtbl {
  HRESULT(STDMETHODCALLTYPE* QueryInterface)(IMalloc* This, REFIID riid, void** ppvObject);
  ULONG(STDMETHODCALLTYPE* AddRef)(IMalloc* This);
  ULONG(STDMETHODCALLTYPE* Release)(IMalloc* This);
  void*(STDMETHODCALLTYPE* Alloc)(IMalloc* This, SIZE_T cb);
  void*(STDMETHODCALLTYPE* Realloc)(IMalloc* This, void* pv, SIZE_T cb);
  void(STDMETHODCALLTYPE* Free)(IMalloc* This, void* pv);
  SIZE_T(STDMETHODCALLTYPE* GetSize)(IMalloc* This, void* pv);
  int(STDMETHODCALLTYPE* DidAlloc)(IMalloc* This, void* pv);
  void(STDMETHODCALLTYPE* HeapMinimize)(IMalloc* This);
} IMallocVtbl;

struct IMalloc {
  const IMallocVtbl* lpVtbl;
};

typedef struct IMallocSpyVtbl {
  HRESULT(STDMETHODCALLTYPE* QueryInterface)(IMallocSpy* This, REFIID riid, void** ppvObject);
  ULONG(STDMETHODCALLTYPE* AddRef)(IMallocSpy* This);
  ULONG(STDMETHODCALLTYPE* Release)(IMallocSpy* This);
  SIZE_T(STDMETHODCALLTYPE* PreAlloc)(IMallocSpy* This, SIZE_T cbRequest);
  void*(STDMETHODCALLTYPE* PostAlloc)(IMallocSpy* This, void* pActual);
  void*(STDMETHODCALLTYPE* PreFree)(IMallocSpy* This, void* pRequest, BOOL fSpyed);
  void(STDMETHODCALLTYPE* PostFree)(IMallocSpy* This, BOOL fSpyed);
  SIZE_T(STDMETHODCALLTYPE* PreRealloc)
  (IMallocSpy* This, void* pRequest, SIZE_T cbRequest, void** ppNewRequest, BOOL fSpyed);
  void*(STDMETHODCALLTYPE* PostRealloc)(IMallocSpy* This, void* pActual, BOOL fSpyed);
  void*(STDMETHODCALLTYPE* PreGetSize)(IMallocSpy* This, void* pRequest, BOOL fSpyed);
  SIZE_T(STDMETHODCALLTYPE* PostGetSize)(IMallocSpy* This, SIZE_T cbActual, BOOL fSpyed);
  void*(STDMETHODCALLTYPE* PreDidAlloc)(IMallocSpy* This, void* pRequest, BOOL fSpyed);
  int(STDMETHODCALLTYPE* PostDidAlloc)(IMallocSpy* This, void* pRequest, BOOL fSpyed, int fActual);
  void(STDMETHODCALLTYPE* PreHeapMinimize)(IMallocSpy* This);
  void(STDMETHODCALLTYPE* PostHeapMinimize)(IMallocSpy* This);
} IMallocSpyVtbl;

struct IMallocSpy {
  const IMallocSpyVtbl* lpVtbl;
};

#ifdef COBJMACROS
#define IUnknown_QueryInterface(This, riid, ppv) ((This)->lpVtbl->QueryInterface(This, riid, ppv))
#define IUnknown_AddRef(This) ((This)->lpVtbl->AddRef(This))
#define IUnknown_Release(This) ((This)->lpVtbl->Release(This))
#define IMalloc_QueryInterface(This, riid, ppv) ((This)->lpVtbl->QueryInterface(This, riid, ppv))
#define IMalloc_AddRef(This) ((This)->lpVtbl->AddRef(This))
#define IMalloc_Release(This) ((This)->lpVtbl->Release(This))
#define IMalloc_Alloc(This, cb) ((This)->lpVtbl->Alloc(This, cb))
#define IMalloc_Realloc(This, pv, cb) ((This)->lpVtbl->Realloc(This, pv, cb))
#define IMalloc_Free(This, pv) ((This)->lpVtbl->Free(This, pv))
#define IMalloc_GetSize(This, pv) ((This)->lpVtbl->GetSize(This, pv))
#define IMalloc_DidAlloc(This, pv) ((This)->lpVtbl->DidAlloc(This, pv))
#define IMalloc_HeapMinimize(This) ((This)->lpVtbl->HeapMinimize(This))
#endif

#endif /* C */

typedef IUnknown* LPUNKNOWN;
typedef IMalloc* LPMALLOC;
typedef IMallocSpy* LPMALLOCSPY;

/* ---- Reference counts: the new value, as on Windows ---- */

#ifdef __cplusplus
inline LONG InterlockedIncrement(LONG volatile* value) { return __atomic_add_fetch(value, 1, __ATOMIC_SEQ_CST); }
inline LONG InterlockedDecrement(LONG volatile* value) { return __atomic_sub_fetch(value, 1, __ATOMIC_SEQ_CST); }
inline ULONG InterlockedIncrement(ULONG volatile* value) { return __atomic_add_fetch(value, 1u, __ATOMIC_SEQ_CST); }
inline ULONG InterlockedDecrement(ULONG volatile* value) { return __atomic_sub_fetch(value, 1u, __ATOMIC_SEQ_CST); }
#if __SIZEOF_LONG__ == 8
/* `long` in a source written for Windows means 32 bits, perhaps cast from a ULONG: only these may be touched. They are
   the low ones: the supported machines are little-endian. */
typedef int32_t __attribute__((__may_alias__)) mallocspy_long32_;
inline LONG InterlockedIncrement(long volatile* value) {
  return __atomic_add_fetch(reinterpret_cast<mallocspy_long32_ volatile*>(value), 1, __ATOMIC_SEQ_CST);
}
inline LONG InterlockedDecrement(long volatile* value) {
  return __atomic_sub_fetch(reinterpret_cast<mallocspy_long32_ volatile*>(value), 1, __ATOMIC_SEQ_CST);
}
inline ULONG InterlockedIncrement(unsigned long volatile* value) {
  return static_cast<ULONG>(InterlockedIncrement(reinterpret_cast<long volatile*>(value)));
}
inline ULONG InterlockedDecrement(unsigned long volatile* value) {
  return static_cast<ULONG>(InterlockedDecrement(reinterpret_cast<long volatile*>(value)));
}
#endif
#else
static inline LONG InterlockedIncrement(LONG volatile* value) { return __atomic_add_fetch(value, 1, __ATOMIC_SEQ_CST); }
static inline LONG InterlockedDecrement(LONG volatile* value) { return __atomic_sub_fetch(value, 1, __ATOMIC_SEQ_CST); }
#endif

/* ---- COM's functions ---- */

#ifdef __cplusplus
extern "C" {
#endif

/* The task allocator, the same object each time, in *ppMalloc. dwMemContext is 1; anything else, and a NULL ppMalloc,
   is E_INVALIDARG. */
MALLOCSPY_API HRESULT STDAPICALLTYPE CoGetMalloc(DWORD dwMemContext, LPMALLOC* ppMalloc);
MALLOCSPY_API LPVOID STDAPICALLTYPE CoTaskMemAlloc(SIZE_T cb);
MALLOCSPY_API LPVOID STDAPICALLTYPE CoTaskMemRealloc(LPVOID pv, SIZE_T cb);
MALLOCSPY_API void STDAPICALLTYPE CoTaskMemFree(LPVOID pv);

/* Registers the process's COM spy, of which there is at most one. It sees the task allocator, not malloc. Keeps the
   one reference that QueryInterface(IID_IMallocSpy) gives.
   E_INVALIDARG: NULL, or no IMallocSpy. CO_E_OBJISREG: one is registered, or its revoke is pending. E_OUTOFMEMORY: the
   chain is full (8 spies). Allowed in a spy's method; calls that have begun do not see the new spy. */
MALLOCSPY_API HRESULT STDAPICALLTYPE CoRegisterMallocSpy(LPMALLOCSPY pMallocSpy);

/* S_OK: it was released. E_ACCESSDENIED: blocks that it spied are live; it is released when the last of them goes, on
   the thread that frees it. Until then it gets the calls about these blocks only. Also E_ACCESSDENIED in a spy's
   method, where the call under way still needs the spy: it is released after this call if nothing it spied is live
   then. CO_E_OBJNOTREG: none is registered. */
MALLOCSPY_API HRESULT STDAPICALLTYPE CoRevokeMallocSpy(void);

/* ---- Beyond COM: several spies in one chain ---- */

enum {
  /* The spy sees malloc, free, new, delete and their kin as well as the task allocator. The option hook_malloc=0|1
     overrules it for all spies. */
  MALLOCSPY_SEE_MALLOC = 1u
};

/* Adds a spy to the chain, as its outermost one: next to the program, its Pre methods run first and its Post methods
   last, and what it asks for is what the next inner spy is asked for. Each spy has its own fSpyed, count of live
   blocks and pending revoke. Keeps one reference, as CoRegisterMallocSpy.
   E_INVALIDARG: NULL, no IMallocSpy, or unknown flags. CO_E_OBJISREG: it is in the chain. E_OUTOFMEMORY: the chain is
   full (8 spies). */
MALLOCSPY_API HRESULT mallocspy_add_spy(IMallocSpy* spy, unsigned flags);

/* Removes a spy that mallocspy_add_spy added, with the results of CoRevokeMallocSpy. */
MALLOCSPY_API HRESULT mallocspy_remove_spy(IMallocSpy* spy);

/* A spy in C. Each function gets the context given with it; a NULL one does what a spy that changes nothing does.
   What they get and return is what the methods of IMallocSpy get and return. */
struct mallocspy_hooks {
  SIZE_T (*pre_alloc)(void* context, SIZE_T bytes);
  void* (*post_alloc)(void* context, void* actual);
  void* (*pre_free)(void* context, void* request, BOOL spied);
  void (*post_free)(void* context, BOOL spied);
  SIZE_T (*pre_realloc)(void* context, void* request, SIZE_T bytes, void** new_request, BOOL spied);
  void* (*post_realloc)(void* context, void* actual, BOOL spied);
  void* (*pre_get_size)(void* context, void* request, BOOL spied);
  SIZE_T (*post_get_size)(void* context, SIZE_T actual, BOOL spied);
  void* (*pre_did_alloc)(void* context, void* request, BOOL spied);
  int (*post_did_alloc)(void* context, void* request, BOOL spied, int actual);
  void (*pre_heap_minimize)(void* context);
  void (*post_heap_minimize)(void* context);
  /* After this nothing is called with `context` any more. */
  void (*released)(void* context);
};

/* Adds hooks to the chain as mallocspy_add_spy does a spy. The struct is not copied: it and the context stay valid
   until `released` is called. The same struct may be added with several contexts.
   E_INVALIDARG: NULL hooks or unknown flags. CO_E_OBJISREG: this pair is in the chain. E_OUTOFMEMORY: the chain is
   full (8 spies). */
MALLOCSPY_API HRESULT mallocspy_add_hooks(const struct mallocspy_hooks* hooks, void* context, unsigned flags);

/* Removes this pair, with the results of CoRevokeMallocSpy. */
MALLOCSPY_API HRESULT mallocspy_remove_hooks(const struct mallocspy_hooks* hooks, void* context);

/* In a spy's method: the return address of the program's call that led to it (the caller of malloc, of IMalloc::Alloc
   ...), NULL if it is not known. Elsewhere NULL. */
MALLOCSPY_API const void* mallocspy_caller(void);

/* One frame of a call stack. */
struct mallocspy_frame {
  const void* address;  /* return address */
  const char* module;   /* path of the loaded object that it is in, `module_bytes` long, with no NUL behind it */
  size_t module_bytes;  /* 0: code of no loaded object */
  uint64_t offset;      /* the address as the object's file numbers it, the same in each run; without an object the
                           address itself */
};

/* In a spy's method: the stack of the program's call that led to it. Writes the innermost frames, at most `capacity`,
   to `frames` (NULL if capacity is 0) and returns how many the stack has; 0 if it is not known. *id (if not NULL) gets
   a number above 0 that stands for the stack in this process: equal stacks have equal numbers, which grow with
   the stacks that were ever seen. Module paths stay readable until the process ends. Elsewhere 0. */
MALLOCSPY_API size_t mallocspy_call_stack(uint32_t* id, struct mallocspy_frame* frames, size_t capacity);

/* In a PreAlloc or PreRealloc that makes the call fail by returning 0: the reports tell of it, with its stack, as an
   injected failure of `bytes`, which is no error of the program. */
MALLOCSPY_API void mallocspy_note_injected_failure(size_t bytes);

/* In a spy's method: _Fork(), with a child whose record goes on where the parent's is, as if both were the same process: the
   blocks that it inherits are its own. For a spy that tries in the child what may end it. */
MALLOCSPY_API pid_t mallocspy_fork_on(void);

/* The mark that blocks get now: 1 at the start, then what mallocspy_mark() (leak_check.h) returned last. Any thread. */
MALLOCSPY_API uint64_t mallocspy_current_mark(void);

#endif /* not Windows */

/* ---- What a library for `mallocspy run --spy=LIB:ARGS` exports ---- */

#ifndef MALLOCSPY_API
#define MALLOCSPY_API __declspec(dllexport)
#endif

/* A new spy with one reference in *out. `args` is what stands behind the library's name, "" if nothing. On failure
 *out is NULL, and the function has said on standard error what to do about it. */
MALLOCSPY_API HRESULT MallocSpyCreate(const char* args, IMallocSpy** out);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // MALLOCSPY_SPY_MALLOC_SPY_H_
