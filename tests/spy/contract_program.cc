// Programs with a spy of their own, each a scenario named by the first argument. The exit status is 0 if the scenario
// went as the contract says; a report of the run may say more.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "spy/malloc_spy.h"

namespace {

// Counts the requests of one size, and does to them what the scenario wants.
class CountingSpy final : public IMallocSpy {
 public:
  STDMETHODIMP QueryInterface(REFIID, void** object) override {
    *object = this;
    return S_OK;
  }
  STDMETHODIMP_(ULONG) AddRef() override { return 1; }
  STDMETHODIMP_(ULONG) Release() override { return 1; }
  STDMETHODIMP_(SIZE_T) PreAlloc(SIZE_T cbRequest) override {
    counted_ = cbRequest == watched;
    if (counted_) ++allocations;
    return counted_ ? cbRequest + more : cbRequest;
  }
  STDMETHODIMP_(void*) PostAlloc(void* pActual) override {
    if (!counted_ || pActual == nullptr) return pActual;
    memset(pActual, 0xee, watched + more);
    return static_cast<char*>(pActual) + shift;
  }
  STDMETHODIMP_(void*) PreFree(void* pRequest, BOOL) override { return pRequest; }
  STDMETHODIMP_(void) PostFree(BOOL) override {}
  STDMETHODIMP_(SIZE_T) PreRealloc(void*, SIZE_T cbRequest, void**, BOOL) override { return cbRequest; }
  STDMETHODIMP_(void*) PostRealloc(void* pActual, BOOL) override { return pActual; }
  STDMETHODIMP_(void*) PreGetSize(void* pRequest, BOOL) override { return pRequest; }
  STDMETHODIMP_(SIZE_T) PostGetSize(SIZE_T cbActual, BOOL) override { return cbActual; }
  STDMETHODIMP_(void*) PreDidAlloc(void* pRequest, BOOL) override { return pRequest; }
  STDMETHODIMP_(int) PostDidAlloc(void*, BOOL, int fActual) override { return fActual; }
  STDMETHODIMP_(void) PreHeapMinimize() override {}
  STDMETHODIMP_(void) PostHeapMinimize() override {}

  SIZE_T watched = 100001;
  SIZE_T more = 0;  // bytes asked for in addition, or fewer if it wraps
  ptrdiff_t shift = 0;
  int allocations = 0;

 private:
  bool counted_ = false;
};

CountingSpy spy;

void* volatile kept;
char* Keep(void* block) {
  kept = block;
  return static_cast<char*>(kept);
}

// How many of the task door, malloc and new it sees, as one number.
int SeenDoors() {
  int seen = 0;
  CoTaskMemFree(Keep(CoTaskMemAlloc(spy.watched)));
  seen += spy.allocations == 1 ? 100 : 0;
  free(Keep(malloc(spy.watched)));
  seen += spy.allocations == 2 ? 10 : 0;
  ::operator delete(Keep(::operator new(spy.watched)));
  seen += spy.allocations == 3 ? 1 : 0;
  return seen;
}

bool Is(const char* scenario, const char* name) { return strcmp(scenario, name) == 0; }

int Run(const char* scenario) {
  if (Is(scenario, "com-sees-task-only")) return CoRegisterMallocSpy(&spy) == S_OK && SeenDoors() == 100 ? 0 : 1;
  if (Is(scenario, "com-sees-all")) return CoRegisterMallocSpy(&spy) == S_OK && SeenDoors() == 111 ? 0 : 1;
  if (Is(scenario, "added-sees-all")) {
    return mallocspy_add_spy(&spy, MALLOCSPY_SEE_MALLOC) == S_OK && SeenDoors() == 111 ? 0 : 1;
  }
  if (Is(scenario, "added-sees-task-only")) {
    return mallocspy_add_spy(&spy, MALLOCSPY_SEE_MALLOC) == S_OK && SeenDoors() == 100 ? 0 : 1;
  }
  if (Is(scenario, "fewer-bytes")) {
    spy.more = static_cast<SIZE_T>(-50000);
    if (CoRegisterMallocSpy(&spy) != S_OK) return 1;
    char* block = Keep(CoTaskMemAlloc(spy.watched));
    memset(block, 1, spy.watched);
    CoTaskMemFree(block);
    return 0;
  }
  if (Is(scenario, "outside")) {
    spy.shift = -16;
    if (CoRegisterMallocSpy(&spy) != S_OK) return 1;
    char* block = Keep(CoTaskMemAlloc(spy.watched));
    memset(block, 1, spy.watched);
    CoTaskMemFree(block);
    return 0;
  }
  if (Is(scenario, "misaligned")) {
    spy.more = 64;
    spy.shift = 8;
    if (mallocspy_add_spy(&spy, MALLOCSPY_SEE_MALLOC) != S_OK) return 1;
    char* block = Keep(malloc(spy.watched));
    const bool aligned = reinterpret_cast<uintptr_t>(block) % 16 == 0;
    memset(block, 1, spy.watched);
    free(block);
    return aligned ? 0 : 1;
  }
  if (Is(scenario, "calloc")) {
    if (mallocspy_add_spy(&spy, MALLOCSPY_SEE_MALLOC) != S_OK) return 1;
    char* block = Keep(calloc(1, spy.watched));
    for (SIZE_T i = 0; i < spy.watched; ++i) {
      if (block[i] != 0) return 1;
    }
    free(block);
    return spy.allocations == 1 ? 0 : 1;
  }
  if (Is(scenario, "clean")) {
    spy.more = 64;
    if (mallocspy_add_spy(&spy, MALLOCSPY_SEE_MALLOC) != S_OK) return 1;
    free(Keep(malloc(spy.watched)));
    CoTaskMemFree(Keep(CoTaskMemAlloc(spy.watched)));
    return 0;
  }
  if (Is(scenario, "free-of-a-task-block")) {
    free(Keep(CoTaskMemAlloc(spy.watched)));
    return 0;
  }
  if (Is(scenario, "task-free-of-a-new-block")) {
    CoTaskMemFree(Keep(::operator new(spy.watched)));
    return 0;
  }
  fprintf(stderr, "contract_program: no scenario '%s'\n", scenario);
  return 2;
}

}  // namespace

int main(int argc, char** argv) { return argc == 2 ? Run(argv[1]) : 2; }
