// A spy as one writes it for Windows, with that system's headers and habits: a reference count in a ULONG, `delete
// this`, a signature in front of each block and the interface's own spelling of types. Nothing here is for Linux.
#include <objbase.h>
#include <objidl.h>

#define SIGNATURE 0x59505331UL

typedef struct tagBLOCKHEADER {
  DWORD dwSignature;
  DWORD dwReserved;
  SIZE_T cbRequested;
} BLOCKHEADER;

static LONG g_cObjects = 0;
static ULONG g_cLiveBlocks = 0;

class CLeakSpy : public IMallocSpy {
 public:
  CLeakSpy() : m_cRef(1), m_cbRequest(0) { InterlockedIncrement(&g_cObjects); }
  ~CLeakSpy() { InterlockedDecrement(&g_cObjects); }

  STDMETHOD(QueryInterface)(REFIID riid, LPVOID FAR* ppvObj);
  STDMETHOD_(ULONG, AddRef)();
  STDMETHOD_(ULONG, Release)();

  STDMETHOD_(SIZE_T, PreAlloc)(SIZE_T cbRequest);
  STDMETHOD_(void*, PostAlloc)(void* pActual);
  STDMETHOD_(void*, PreFree)(void* pRequest, BOOL fSpyed);
  STDMETHOD_(void, PostFree)(BOOL fSpyed);
  STDMETHOD_(SIZE_T, PreRealloc)(void* pRequest, SIZE_T cbRequest, void** ppNewRequest, BOOL fSpyed);
  STDMETHOD_(void*, PostRealloc)(void* pActual, BOOL fSpyed);
  STDMETHOD_(void*, PreGetSize)(void* pRequest, BOOL fSpyed);
  STDMETHOD_(SIZE_T, PostGetSize)(SIZE_T cbActual, BOOL fSpyed);
  STDMETHOD_(void*, PreDidAlloc)(void* pRequest, BOOL fSpyed);
  STDMETHOD_(int, PostDidAlloc)(void* pRequest, BOOL fSpyed, int fActual);
  STDMETHOD_(void, PreHeapMinimize)(void);
  STDMETHOD_(void, PostHeapMinimize)(void);

 private:
  void* Install(void* pActual) {
    BLOCKHEADER* pHeader = (BLOCKHEADER*)pActual;
    pHeader->dwSignature = SIGNATURE;
    pHeader->cbRequested = m_cbRequest;
    return pHeader + 1;
  }
  static BLOCKHEADER* HeaderOf(void* pRequest) { return (BLOCKHEADER*)pRequest - 1; }

  ULONG m_cRef;
  SIZE_T m_cbRequest;
};

STDMETHODIMP CLeakSpy::QueryInterface(REFIID riid, LPVOID FAR* ppvObj) {
  HRESULT hr = S_OK;
  if (ppvObj == NULL) return E_POINTER;
  if (IsEqualIID(riid, IID_IUnknown)) {
    *ppvObj = (IUnknown*)this;
  } else if (riid == IID_IMallocSpy) {
    *ppvObj = (IMallocSpy*)this;
  } else {
    *ppvObj = NULL;
    hr = E_NOINTERFACE;
  }
  if (SUCCEEDED(hr)) AddRef();
  return hr;
}

STDMETHODIMP_(ULONG) CLeakSpy::AddRef() { return InterlockedIncrement((long*)&m_cRef); }

STDMETHODIMP_(ULONG) CLeakSpy::Release() {
  ULONG cRef = InterlockedDecrement((long*)&m_cRef);
  if (cRef == 0) delete this;
  return cRef;
}

STDMETHODIMP_(SIZE_T) CLeakSpy::PreAlloc(SIZE_T cbRequest) {
  m_cbRequest = cbRequest;
  return cbRequest + sizeof(BLOCKHEADER);
}

STDMETHODIMP_(void*) CLeakSpy::PostAlloc(void* pActual) {
  if (pActual == NULL) return NULL;
  ++g_cLiveBlocks;
  return Install(pActual);
}

STDMETHODIMP_(void*) CLeakSpy::PreFree(void* pRequest, BOOL fSpyed) {
  if (!fSpyed) return pRequest;
  BLOCKHEADER* pHeader = HeaderOf(pRequest);
  if (pHeader->dwSignature == SIGNATURE) --g_cLiveBlocks;
  return pHeader;
}

STDMETHODIMP_(void) CLeakSpy::PostFree(BOOL) {}

STDMETHODIMP_(SIZE_T)
CLeakSpy::PreRealloc(void* pRequest, SIZE_T cbRequest, void** ppNewRequest, BOOL fSpyed) {
  m_cbRequest = cbRequest;
  if (!fSpyed) {
    *ppNewRequest = pRequest;
    ++g_cLiveBlocks;
    return cbRequest + sizeof(BLOCKHEADER);
  }
  if (pRequest == NULL) {
    *ppNewRequest = NULL;
    ++g_cLiveBlocks;
  } else {
    *ppNewRequest = HeaderOf(pRequest);
    if (cbRequest == 0) --g_cLiveBlocks;
  }
  return cbRequest + sizeof(BLOCKHEADER);
}

STDMETHODIMP_(void*) CLeakSpy::PostRealloc(void* pActual, BOOL fSpyed) {
  if (pActual == NULL) return NULL;
  if (!fSpyed) {
    // The data of a block that had no header moves behind the new one.
    char* pData = (char*)pActual;
    for (SIZE_T i = m_cbRequest; i > 0; --i) pData[sizeof(BLOCKHEADER) + i - 1] = pData[i - 1];
  }
  return Install(pActual);
}

STDMETHODIMP_(void*) CLeakSpy::PreGetSize(void* pRequest, BOOL fSpyed) {
  return fSpyed ? HeaderOf(pRequest) : pRequest;
}

STDMETHODIMP_(SIZE_T) CLeakSpy::PostGetSize(SIZE_T cbActual, BOOL fSpyed) {
  return fSpyed ? cbActual - sizeof(BLOCKHEADER) : cbActual;
}

STDMETHODIMP_(void*) CLeakSpy::PreDidAlloc(void* pRequest, BOOL fSpyed) {
  return fSpyed ? HeaderOf(pRequest) : pRequest;
}

STDMETHODIMP_(int) CLeakSpy::PostDidAlloc(void*, BOOL, int fActual) { return fActual; }

STDMETHODIMP_(void) CLeakSpy::PreHeapMinimize(void) {}

STDMETHODIMP_(void) CLeakSpy::PostHeapMinimize(void) {}

// The other ways to say it that sources for Windows use.
DECLARE_INTERFACE_(ICounter, IUnknown) {
  STDMETHOD(QueryInterface)(THIS_ REFIID riid, void FAR* FAR* ppv) PURE;
  STDMETHOD_(ULONG, AddRef)(THIS) PURE;
  STDMETHOD_(ULONG, Release)(THIS) PURE;
  STDMETHOD_(ULONG, Count)(THIS) PURE;
};

interface IOther : public IUnknown {
  virtual ULONG __stdcall Other() = 0;
};

IMallocSpy* CreateLeakSpy() { return new CLeakSpy; }
ULONG LeakSpyLiveBlocks() { return g_cLiveBlocks; }
ULONG LeakSpyObjects() { return (ULONG)g_cObjects; }
