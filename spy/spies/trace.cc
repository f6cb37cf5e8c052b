// The trace spy: writes a line for each heap operation into a file of limited size.
//
//   mallocspy run --spy=libmallocspy_trace.so:file=/var/log/heap.%p.log,format=json -- program
//
// Arguments, separated by commas, all optional:
//   file=PATH       default mallocspy-trace.%p.log in the current directory; %p is the process id. An existing file is
//                   never written to: PATH.1, PATH.2 ... are tried instead.
//   limit_mb=N      1 to 1048576, default 64, in MiB. When the file is full one line says so, and the rest is counted.
//   format=text     1 [4711] alloc 27 bytes = 0x7f01c0a0 from /usr/bin/prog+0x1234
//   format=json     {"n":1,"tid":4711,"op":"alloc","bytes":27,"result":"0x7f01c0a0","module":"/usr/bin/prog",...}
//   buffer_kb=N     0 to 16384, default 16: lines wait in memory until so many KiB are full; a process that is killed
//                   or calls _exit loses them. 0 writes each line at once.
//
// The last line tells the total. `from` (module and offset) is the return address of the program's call, as an offset
// from where its module is loaded; "unspied" marks a block that was there before this spy. A forked child has its own
// file and count.
//
// As far as COM goes this compiles on Windows; what it needs of the system is in system.h.
#include <stdint.h>

#include <atomic>
#include <new>

#include "spy/malloc_spy.h"
#include "spy/spies/plain_spy.h"
#include "spy/spies/system.h"
#include "spy/spies/trace/log.h"
#include "spy/spies/trace/settings.h"

namespace mallocspy::spies::trace {
namespace {

class TraceSpy final : public PlainSpy {
 public:
  static HRESULT Create(const Settings& settings, IMallocSpy** out) {
    void* memory = system::Map(sizeof(TraceSpy));
    if (memory == nullptr) return E_OUTOFMEMORY;
    TraceSpy* spy = new (memory) TraceSpy;
    if (!spy->log_.Open(settings)) {
      spy->log_.Close();
      system::Unmap(memory, sizeof(TraceSpy));
      return E_ACCESSDENIED;
    }
    spy->next_ = first_.load(std::memory_order_relaxed);
    while (!first_.compare_exchange_weak(spy->next_, spy, std::memory_order_release)) {
    }
    *out = spy;
    return S_OK;
  }

  // At the end of the process.
  static void FinishAll() {
    for (TraceSpy* spy = first_.load(std::memory_order_acquire); spy != nullptr; spy = spy->next_) {
      if (!spy->released_) spy->log_.Finish();
    }
  }

  STDMETHODIMP_(SIZE_T) PreAlloc(SIZE_T cbRequest) override {
    bytes_ = cbRequest;
    return cbRequest;
  }
  STDMETHODIMP_(void*) PostAlloc(void* pActual) override {
    Call call = Begin(Event::kAlloc, TRUE);
    call.bytes = bytes_;
    call.result = pActual;
    log_.Record(call);
    return pActual;
  }
  STDMETHODIMP_(void*) PreFree(void* pRequest, BOOL) override {
    pointer_ = pRequest;
    return pRequest;
  }
  STDMETHODIMP_(void) PostFree(BOOL fSpyed) override {
    Call call = Begin(Event::kFree, fSpyed);
    call.pointer = pointer_;
    log_.Record(call);
  }
  STDMETHODIMP_(SIZE_T) PreRealloc(void* pRequest, SIZE_T cbRequest, void** ppNewRequest, BOOL) override {
    pointer_ = pRequest;
    bytes_ = cbRequest;
    *ppNewRequest = pRequest;
    return cbRequest;
  }
  STDMETHODIMP_(void*) PostRealloc(void* pActual, BOOL fSpyed) override {
    Call call = Begin(Event::kRealloc, fSpyed);
    call.pointer = pointer_;
    call.bytes = bytes_;
    call.result = pActual;
    log_.Record(call);
    return pActual;
  }
  STDMETHODIMP_(void*) PreGetSize(void* pRequest, BOOL) override {
    pointer_ = pRequest;
    return pRequest;
  }
  STDMETHODIMP_(SIZE_T) PostGetSize(SIZE_T cbActual, BOOL fSpyed) override {
    Call call = Begin(Event::kGetSize, fSpyed);
    call.pointer = pointer_;
    call.answer = static_cast<int64_t>(cbActual);
    log_.Record(call);
    return cbActual;
  }
  STDMETHODIMP_(int) PostDidAlloc(void* pRequest, BOOL fSpyed, int fActual) override {
    Call call = Begin(Event::kDidAlloc, fSpyed);
    call.pointer = pRequest;
    call.answer = fActual;
    log_.Record(call);
    return fActual;
  }
  STDMETHODIMP_(void) PostHeapMinimize() override { log_.Record(Begin(Event::kMinimize, TRUE)); }

 private:
  // The object itself stays in the list of those to finish, which another thread may be going through.
  void Released() override {
    released_ = true;
    log_.Close();
  }

  static Call Begin(Event event, BOOL spied) {
    Call call = {};
    call.event = event;
    call.spied = spied != FALSE;
    call.caller = system::CallerOfProgram();
    return call;
  }

  static std::atomic<TraceSpy*> first_;  // all that were ever made

  std::atomic<bool> released_{false};
  TraceSpy* next_ = nullptr;
  Log log_;
  // From a Pre method to its Post method; no other call comes between.
  SIZE_T bytes_ = 0;
  void* pointer_ = nullptr;
};

constinit std::atomic<TraceSpy*> TraceSpy::first_{nullptr};

}  // namespace
}  // namespace mallocspy::spies::trace

extern "C" HRESULT MallocSpyCreate(const char* args, IMallocSpy** out) {
  using mallocspy::spies::trace::TraceSpy;
  if (out == nullptr) return E_POINTER;
  *out = nullptr;
  mallocspy::spies::trace::Settings settings;
  if (args != nullptr && !ParseSettings(args, &settings)) return E_INVALIDARG;
  mallocspy::spies::system::AtProcessEnd(TraceSpy::FinishAll);
  return TraceSpy::Create(settings, out);
}
