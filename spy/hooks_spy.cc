#include "spy/hooks_spy.h"

#include "spy/futex_lock.h"
#include "spy/heap.h"

namespace mallocspy {
namespace {

// Constant-initialised and never destroyed, as the chain that calls them.
constinit HooksSpy pool[kMaxSpies];
// Over claims and searches. Innermost: nothing is called under it.
constinit FutexLock pool_lock;

}  // namespace

HRESULT HooksSpy::Claim(const mallocspy_hooks* hooks, void* context, HooksSpy** spy) {
  HooksSpy* unused = nullptr;
  HRESULT result = E_OUTOFMEMORY;
  pool_lock.Lock();
  for (HooksSpy& candidate : pool) {
    if (!candidate.in_use_.load(std::memory_order_acquire)) {
      unused = &candidate;
    } else if (candidate.hooks_ == hooks && candidate.context_ == context) {
      result = CO_E_OBJISREG;
    }
  }
  if (result == E_OUTOFMEMORY && unused != nullptr) {
    unused->hooks_ = hooks;
    unused->context_ = context;
    unused->references_.store(1, std::memory_order_relaxed);
    unused->in_use_.store(true, std::memory_order_relaxed);
    *spy = unused;
    result = S_OK;
  }
  pool_lock.Unlock();
  return result;
}

HooksSpy* HooksSpy::Find(const mallocspy_hooks* hooks, void* context) {
  HooksSpy* found = nullptr;
  pool_lock.Lock();
  for (HooksSpy& candidate : pool) {
    if (candidate.in_use_.load(std::memory_order_acquire) && candidate.hooks_ == hooks &&
        candidate.context_ == context) {
      found = &candidate;
    }
  }
  pool_lock.Unlock();
  return found;
}

void HooksSpy::Abandon() {
  references_.store(0, std::memory_order_relaxed);
  in_use_.store(false, std::memory_order_release);
}

HRESULT HooksSpy::QueryInterface(REFIID riid, void** object) {
  if (object == nullptr) return E_POINTER;
  if (!IsEqualIID(riid, IID_IUnknown) && !IsEqualIID(riid, IID_IMallocSpy)) {
    *object = nullptr;
    return E_NOINTERFACE;
  }
  AddRef();
  *object = static_cast<IMallocSpy*>(this);
  return S_OK;
}

ULONG HooksSpy::AddRef() { return references_.fetch_add(1, std::memory_order_relaxed) + 1; }

ULONG HooksSpy::Release() {
  const uint32_t left = references_.fetch_sub(1, std::memory_order_acq_rel) - 1;
  if (left == 0) {
    if (hooks_->released != nullptr) hooks_->released(context_);
    in_use_.store(false, std::memory_order_release);
  }
  return left;
}

SIZE_T HooksSpy::PreAlloc(SIZE_T bytes) {
  return hooks_->pre_alloc == nullptr ? bytes : hooks_->pre_alloc(context_, bytes);
}

void* HooksSpy::PostAlloc(void* actual) {
  return hooks_->post_alloc == nullptr ? actual : hooks_->post_alloc(context_, actual);
}

void* HooksSpy::PreFree(void* request, BOOL spied) {
  return hooks_->pre_free == nullptr ? request : hooks_->pre_free(context_, request, spied);
}

void HooksSpy::PostFree(BOOL spied) {
  if (hooks_->post_free != nullptr) hooks_->post_free(context_, spied);
}

SIZE_T HooksSpy::PreRealloc(void* request, SIZE_T bytes, void** new_request, BOOL spied) {
  if (hooks_->pre_realloc == nullptr) return bytes;
  return hooks_->pre_realloc(context_, request, bytes, new_request, spied);
}

void* HooksSpy::PostRealloc(void* actual, BOOL spied) {
  return hooks_->post_realloc == nullptr ? actual : hooks_->post_realloc(context_, actual, spied);
}

void* HooksSpy::PreGetSize(void* request, BOOL spied) {
  return hooks_->pre_get_size == nullptr ? request : hooks_->pre_get_size(context_, request, spied);
}

SIZE_T HooksSpy::PostGetSize(SIZE_T actual, BOOL spied) {
  return hooks_->post_get_size == nullptr ? actual : hooks_->post_get_size(context_, actual, spied);
}

void* HooksSpy::PreDidAlloc(void* request, BOOL spied) {
  return hooks_->pre_did_alloc == nullptr ? request : hooks_->pre_did_alloc(context_, request, spied);
}

int HooksSpy::PostDidAlloc(void* request, BOOL spied, int actual) {
  return hooks_->post_did_alloc == nullptr ? actual : hooks_->post_did_alloc(context_, request, spied, actual);
}

void HooksSpy::PreHeapMinimize() {
  if (hooks_->pre_heap_minimize != nullptr) hooks_->pre_heap_minimize(context_);
}

void HooksSpy::PostHeapMinimize() {
  if (hooks_->post_heap_minimize != nullptr) hooks_->post_heap_minimize(context_);
}

}  // namespace mallocspy
