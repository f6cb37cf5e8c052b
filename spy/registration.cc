// The exported functions of malloc_spy.h that register and remove spies, on the process's chain.
#include "spy/hooks_spy.h"
#include "spy/malloc_spy.h"
#include "spy/spy_chain.h"

using mallocspy::HooksSpy;
using mallocspy::spy_chain;
using mallocspy::SpyChain;

extern "C" {

HRESULT CoRegisterMallocSpy(LPMALLOCSPY pMallocSpy) { return spy_chain.RegisterComSpy(pMallocSpy); }

HRESULT CoRevokeMallocSpy() { return spy_chain.RevokeComSpy(); }

HRESULT mallocspy_add_spy(IMallocSpy* spy, unsigned flags) { return spy_chain.Add(spy, flags); }

HRESULT mallocspy_remove_spy(IMallocSpy* spy) { return spy_chain.Remove(spy); }

HRESULT mallocspy_add_hooks(const mallocspy_hooks* hooks, void* context, unsigned flags) {
  if (hooks == nullptr) return E_INVALIDARG;
  HooksSpy* spy = nullptr;
  const HRESULT claimed = HooksSpy::Claim(hooks, context, &spy);
  if (FAILED(claimed)) return claimed;
  const HRESULT added = spy_chain.Add(spy, flags);
  if (FAILED(added)) {
    spy->Abandon();
  } else {
    spy->Release();  // the chain has its own reference
  }
  return added;
}

HRESULT mallocspy_remove_hooks(const mallocspy_hooks* hooks, void* context) {
  HooksSpy* spy = HooksSpy::Find(hooks, context);
  return spy == nullptr ? CO_E_OBJNOTREG : spy_chain.Remove(spy);
}

const void* mallocspy_caller() {
  const mallocspy::DoorFrame* frame = mallocspy::spy_thread.frame;
  return SpyChain::InSpy() && frame != nullptr ? frame->return_address : nullptr;
}

}  // extern "C"
