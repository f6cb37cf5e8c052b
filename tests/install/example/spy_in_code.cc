// Registers a spy at the start of the program: it puts a header of its own before every block of the task allocator
// and counts what is live. As under COM it does not see malloc and new.
#include <cstdio>
#include <cstdlib>

#include "spy/malloc_spy.h"

class CountingSpy : public IMallocSpy {
 public:
  STDMETHODIMP QueryInterface(REFIID iid, void** out) override {
    if (out == nullptr) return E_POINTER;
    const bool mine = IsEqualIID(iid, IID_IUnknown) || IsEqualIID(iid, IID_IMallocSpy);
    *out = mine ? this : nullptr;
    if (!mine) return E_NOINTERFACE;
    AddRef();
    return S_OK;
  }
  STDMETHODIMP_(ULONG) AddRef() override { return InterlockedIncrement(&references_); }
  STDMETHODIMP_(ULONG) Release() override { return InterlockedDecrement(&references_); }

  STDMETHODIMP_(SIZE_T) PreAlloc(SIZE_T asked) override {
    asked_ = asked;
    return asked + kHeaderBytes;
  }
  STDMETHODIMP_(void*) PostAlloc(void* block) override { return Begin(block); }
  STDMETHODIMP_(void*) PreFree(void* pointer, BOOL spied) override { return spied ? End(pointer) : pointer; }
  STDMETHODIMP_(void) PostFree(BOOL) override {}
  STDMETHODIMP_(SIZE_T) PreRealloc(void* pointer, SIZE_T asked, void** block, BOOL spied) override {
    asked_ = asked;
    *block = pointer != nullptr && spied ? End(pointer) : pointer;
    return asked == 0 ? 0 : asked + kHeaderBytes;
  }
  STDMETHODIMP_(void*) PostRealloc(void* block, BOOL) override { return Begin(block); }
  STDMETHODIMP_(void*) PreGetSize(void* pointer, BOOL spied) override { return spied ? Block(pointer) : pointer; }
  STDMETHODIMP_(SIZE_T) PostGetSize(SIZE_T bytes, BOOL spied) override { return spied ? bytes - kHeaderBytes : bytes; }
  STDMETHODIMP_(void*) PreDidAlloc(void* pointer, BOOL spied) override { return spied ? Block(pointer) : pointer; }
  STDMETHODIMP_(int) PostDidAlloc(void*, BOOL, int answer) override { return answer; }
  STDMETHODIMP_(void) PreHeapMinimize() override {}
  STDMETHODIMP_(void) PostHeapMinimize() override {}

  int live_blocks = 0;
  SIZE_T live_bytes = 0;
  ULONG references() const { return references_; }

 private:
  static constexpr SIZE_T kHeaderBytes = 16;

  static char* Block(void* pointer) { return static_cast<char*>(pointer) - kHeaderBytes; }
  void* Begin(void* block) {
    if (block == nullptr) return nullptr;
    *static_cast<SIZE_T*>(block) = asked_;
    ++live_blocks;
    live_bytes += asked_;
    return static_cast<char*>(block) + kHeaderBytes;
  }
  void* End(void* pointer) {
    --live_blocks;
    live_bytes -= *reinterpret_cast<SIZE_T*>(Block(pointer));
    return Block(pointer);
  }

  ULONG references_ = 0;
  SIZE_T asked_ = 0;
};

int main() {
  static CountingSpy spy;
  if (FAILED(CoRegisterMallocSpy(&spy))) return EXIT_FAILURE;

  void* kept = CoTaskMemAlloc(27);
  void* grown = CoTaskMemRealloc(CoTaskMemAlloc(100), 1000);
  void* gone = CoTaskMemAlloc(5);
  CoTaskMemFree(gone);
  void* unseen = std::malloc(4000);

  IMalloc* task = nullptr;
  if (FAILED(CoGetMalloc(1, &task))) return EXIT_FAILURE;
  std::printf("live: %d blocks, %zu bytes; size of the first: %zu\n", spy.live_blocks, spy.live_bytes,
              task->GetSize(kept));
  task->Release();
  std::printf("revoke while blocks live: %s\n", CoRevokeMallocSpy() == E_ACCESSDENIED ? "pending" : "unexpected");
  CoTaskMemFree(grown);
  CoTaskMemFree(kept);
  std::printf("live: %d blocks, %zu bytes; references: %u\n", spy.live_blocks, spy.live_bytes, spy.references());
  std::free(unseen);
  return EXIT_SUCCESS;
}
