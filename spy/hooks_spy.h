// A spy made of C functions: what stands in the chain for a `struct mallocspy_hooks` and its context.
//
// There are as many as the chain has slots, in a fixed pool. One is in use from Claim until its last reference goes;
// the references are the caller's of Claim and the chain's.
#pragma once

#include <atomic>
#include <cstdint>

#include "spy/malloc_spy.h"

namespace mallocspy {

class HooksSpy final : public IMallocSpy {
 public:
  constexpr HooksSpy() = default;
  HooksSpy(const HooksSpy&) = delete;
  HooksSpy& operator=(const HooksSpy&) = delete;

  // One for this pair, with one reference in *spy. CO_E_OBJISREG: the pair has one. E_OUTOFMEMORY: all are in use.
  static HRESULT Claim(const mallocspy_hooks* hooks, void* context, HooksSpy** spy);
  // The one of this pair, null if it has none.
  static HooksSpy* Find(const mallocspy_hooks* hooks, void* context);
  // Instead of the last Release: the hooks were never in the chain, so they are not told that they are released.
  void Abandon();

  STDMETHODIMP QueryInterface(REFIID riid, void** object) override;
  STDMETHODIMP_(ULONG) AddRef() override;
  STDMETHODIMP_(ULONG) Release() override;
  STDMETHODIMP_(SIZE_T) PreAlloc(SIZE_T bytes) override;
  STDMETHODIMP_(void*) PostAlloc(void* actual) override;
  STDMETHODIMP_(void*) PreFree(void* request, BOOL spied) override;
  STDMETHODIMP_(void) PostFree(BOOL spied) override;
  STDMETHODIMP_(SIZE_T) PreRealloc(void* request, SIZE_T bytes, void** new_request, BOOL spied) override;
  STDMETHODIMP_(void*) PostRealloc(void* actual, BOOL spied) override;
  STDMETHODIMP_(void*) PreGetSize(void* request, BOOL spied) override;
  STDMETHODIMP_(SIZE_T) PostGetSize(SIZE_T actual, BOOL spied) override;
  STDMETHODIMP_(void*) PreDidAlloc(void* request, BOOL spied) override;
  STDMETHODIMP_(int) PostDidAlloc(void* request, BOOL spied, int actual) override;
  STDMETHODIMP_(void) PreHeapMinimize() override;
  STDMETHODIMP_(void) PostHeapMinimize() override;

 private:
  // Written under the pool's lock while no reference exists.
  const mallocspy_hooks* hooks_ = nullptr;
  void* context_ = nullptr;
  std::atomic<uint32_t> references_{0};
  std::atomic<bool> in_use_{false};
};

}  // namespace mallocspy
