// A spy for tests: it writes down each call, and does what the test has put into its `on_...` functions. Those without
// one pass everything through.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "spy/malloc_spy.h"

namespace mallocspy {

class RecordingSpy : public IMallocSpy {
 public:
  // Several spies may share a log, in which each entry begins with the spy's name.
  explicit RecordingSpy(std::vector<std::string>* log = nullptr, std::string name = "")
      : log_(log == nullptr ? &own_log_ : log), name_(std::move(name)) {}

  STDMETHODIMP QueryInterface(REFIID riid, void** object) override {
    ++queries;
    if (on_query) on_query();
    if (FAILED(query_result) || !(IsEqualIID(riid, IID_IUnknown) || IsEqualIID(riid, IID_IMallocSpy))) {
      *object = nullptr;
      return FAILED(query_result) ? query_result : E_NOINTERFACE;
    }
    if (query_gives_null) {
      *object = nullptr;
      return S_OK;
    }
    IMallocSpy* const given = query_gives == nullptr ? this : query_gives;
    given->AddRef();
    *object = given;
    return query_result;
  }
  STDMETHODIMP_(ULONG) AddRef() override { return static_cast<ULONG>(InterlockedIncrement(&references)); }
  STDMETHODIMP_(ULONG) Release() override {
    ++releases;
    if (on_release) on_release();
    return static_cast<ULONG>(InterlockedDecrement(&references));
  }

  STDMETHODIMP_(SIZE_T) PreAlloc(SIZE_T cbRequest) override {
    Log("PreAlloc " + std::to_string(cbRequest));
    return on_pre_alloc ? on_pre_alloc(cbRequest) : cbRequest;
  }
  STDMETHODIMP_(void*) PostAlloc(void* pActual) override {
    Log(std::string("PostAlloc") + (pActual == nullptr ? " NULL" : ""));
    got = pActual;
    return on_post_alloc ? on_post_alloc(pActual) : pActual;
  }
  STDMETHODIMP_(void*) PreFree(void* pRequest, BOOL fSpyed) override {
    Log("PreFree " + std::to_string(fSpyed));
    got = pRequest;
    return on_pre_free ? on_pre_free(pRequest, fSpyed) : pRequest;
  }
  STDMETHODIMP_(void) PostFree(BOOL fSpyed) override {
    Log("PostFree " + std::to_string(fSpyed));
    if (on_post_free) on_post_free();
  }
  STDMETHODIMP_(SIZE_T)
  PreRealloc(void* pRequest, SIZE_T cbRequest, void** ppNewRequest, BOOL fSpyed) override {
    Log("PreRealloc " + std::string(pRequest == nullptr ? "NULL " : "") + std::to_string(cbRequest) + " " +
        std::to_string(fSpyed));
    got = pRequest;
    return on_pre_realloc ? on_pre_realloc(pRequest, cbRequest, ppNewRequest, fSpyed) : cbRequest;
  }
  STDMETHODIMP_(void*) PostRealloc(void* pActual, BOOL fSpyed) override {
    Log("PostRealloc " + std::string(pActual == nullptr ? "NULL " : "") + std::to_string(fSpyed));
    got = pActual;
    return on_post_realloc ? on_post_realloc(pActual, fSpyed) : pActual;
  }
  STDMETHODIMP_(void*) PreGetSize(void* pRequest, BOOL fSpyed) override {
    Log("PreGetSize " + std::to_string(fSpyed));
    got = pRequest;
    return on_pre_get_size ? on_pre_get_size(pRequest, fSpyed) : pRequest;
  }
  STDMETHODIMP_(SIZE_T) PostGetSize(SIZE_T cbActual, BOOL fSpyed) override {
    Log("PostGetSize " + std::to_string(static_cast<long long>(cbActual)) + " " + std::to_string(fSpyed));
    return on_post_get_size ? on_post_get_size(cbActual, fSpyed) : cbActual;
  }
  STDMETHODIMP_(void*) PreDidAlloc(void* pRequest, BOOL fSpyed) override {
    Log("PreDidAlloc " + std::to_string(fSpyed));
    got = pRequest;
    return on_pre_did_alloc ? on_pre_did_alloc(pRequest, fSpyed) : pRequest;
  }
  STDMETHODIMP_(int) PostDidAlloc(void* pRequest, BOOL fSpyed, int fActual) override {
    Log("PostDidAlloc " + std::to_string(fSpyed) + " " + std::to_string(fActual));
    got = pRequest;
    return on_post_did_alloc ? on_post_did_alloc(pRequest, fSpyed, fActual) : fActual;
  }
  STDMETHODIMP_(void) PreHeapMinimize() override { Log("PreHeapMinimize"); }
  STDMETHODIMP_(void) PostHeapMinimize() override { Log("PostHeapMinimize"); }

  // What was logged since the last time.
  std::vector<std::string> TakeLog() {
    std::vector<std::string> taken;
    taken.swap(*log_);
    return taken;
  }

  std::function<SIZE_T(SIZE_T)> on_pre_alloc;
  std::function<void*(void*)> on_post_alloc;
  std::function<void*(void*, BOOL)> on_pre_free;
  std::function<void()> on_post_free;
  std::function<SIZE_T(void*, SIZE_T, void**, BOOL)> on_pre_realloc;
  std::function<void*(void*, BOOL)> on_post_realloc;
  std::function<void*(void*, BOOL)> on_pre_get_size;
  std::function<SIZE_T(SIZE_T, BOOL)> on_post_get_size;
  std::function<void*(void*, BOOL)> on_pre_did_alloc;
  std::function<int(void*, BOOL, int)> on_post_did_alloc;
  std::function<void()> on_query;
  std::function<void()> on_release;

  HRESULT query_result = S_OK;
  bool query_gives_null = false;
  IMallocSpy* query_gives = nullptr;  // instead of itself
  int queries = 0;
  int releases = 0;
  LONG references = 0;
  void* got = nullptr;  // the pointer of the last call that had one

 private:
  void Log(const std::string& entry) { log_->push_back(name_.empty() ? entry : name_ + ":" + entry); }

  std::vector<std::string> own_log_;
  std::vector<std::string>* log_;
  std::string name_;
};

// A spy that puts `front` bytes of its own in front of every block, as clause 4.8 allows.
class ShiftingSpy : public RecordingSpy {
 public:
  explicit ShiftingSpy(size_t front, std::vector<std::string>* log = nullptr, std::string name = "")
      : RecordingSpy(log, std::move(name)) {
    auto back = [front](void* pointer, BOOL spied) -> void* {
      return spied ? static_cast<char*>(pointer) - front : pointer;
    };
    auto forth = [front](void* pointer) -> void* {
      return pointer == nullptr ? nullptr : static_cast<char*>(pointer) + front;
    };
    on_pre_alloc = [front](SIZE_T bytes) { return bytes + front; };
    on_post_alloc = forth;
    on_pre_free = back;
    on_pre_realloc = [front, back](void* pointer, SIZE_T bytes, void** request, BOOL spied) {
      *request = pointer == nullptr ? nullptr : back(pointer, spied);
      return bytes == 0 && pointer != nullptr ? 0 : bytes + front;
    };
    on_post_realloc = [forth](void* pointer, BOOL) { return forth(pointer); };
    on_pre_get_size = back;
    on_post_get_size = [front](SIZE_T bytes, BOOL spied) { return spied ? bytes - front : bytes; };
    on_pre_did_alloc = back;
  }
};

}  // namespace mallocspy
