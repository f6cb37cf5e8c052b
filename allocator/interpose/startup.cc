#include "allocator/interpose/startup.h"

#include <dlfcn.h>

#include <cstdint>
#include <cstring>

#include "allocator/capture/unwinder.h"
#include "allocator/interpose/ending_status.h"
#include "allocator/interpose/followed_environment.h"
#include "allocator/interpose/libc_constructor.h"
#include "allocator/ledger/ledger.h"
#include "allocator/ledger/module_table.h"
#include "allocator/process.h"
#include "allocator/snapshot/automatic_dumps.h"
#include "allocator/snapshot/ending.h"
#include "allocator/snapshot/fatal_signals.h"
#include "allocator/snapshot/live_request.h"
#include "allocator/snapshot/page_faults.h"
#include "allocator/snapshot/reporter.h"
#include "allocator/snapshot/roots.h"
#include "allocator/system/initial_stack.h"
#include "allocator/system/raw_log.h"
#include "allocator/system/raw_syscall.h"
#include "allocator/system/wrapped_malloc.h"
#include "allocator/thread_state.h"
#include "spy/spy_chain.h"

extern "C" {
// An abstract class's table refers to it; there is no C++ runtime in this library.
__attribute__((visibility("hidden"))) void __cxa_pure_virtual() {
  mallocspy::FailCheck(__FILE__, __LINE__, "a virtual function has a body");
}
}

// LeakSanitizer's, of the program (sanitizer/lsan_interface.h).
extern "C" __attribute__((weak)) const char* __lsan_default_suppressions();

namespace mallocspy {
namespace {

constexpr size_t kPathBytes = 4096;
constexpr int kCheckDidNotRun = 25;

[[noreturn]] void RefuseSpy(const char* spec, size_t size, const char* why) {
  RawLine(2).Text("mallocspy: the spy ").Text(spec, size).Text(" cannot be used: ").Text(why)
      .Text("; the program was not started").End();
  EndRecord(ledger::End::kExit, kCheckDidNotRun);
  for (;;) RawSyscall(SYS_exit_group, kCheckDidNotRun);
}

// While a spy's own code runs here, it may end the process in any way: the record says so beforehand.
void NoteLoading(const char* spec, size_t size) {
  FutexLockHolder hold(ledger::g_ledger.lock());
  ledger::g_ledger.header().spy = ledger::g_ledger.AddString(spec, size);
  ledger::g_ledger.SetDegraded(ledger::kSpyNotLoaded);
}

void NoteLoaded() {
  ledger::g_ledger.header().degraded.fetch_and(~uint64_t{ledger::kSpyNotLoaded}, std::memory_order_relaxed);
}

// `spec` is LIB.so or LIB.so:ARGS, `size` bytes of it.
void LoadSpy(const char* spec, size_t size) {
  static char copy[kPathBytes];  // only one thread exists
  NoteLoading(spec, size);
  if (size >= sizeof(copy)) RefuseSpy(spec, size, "its name and arguments are too long");
  std::memcpy(copy, spec, size);
  copy[size] = '\0';
  char* arguments = std::strchr(copy, ':');
  if (arguments != nullptr) *arguments++ = '\0';
  void* library = dlopen(copy, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = dlerror();
    RefuseSpy(spec, size, why != nullptr ? why : "it cannot be loaded");
  }
  using Create = HRESULT (*)(const char*, IMallocSpy**);
  const auto create = reinterpret_cast<Create>(dlsym(library, "MallocSpyCreate"));
  if (create == nullptr) RefuseSpy(spec, size, "it does not export MallocSpyCreate");
  IMallocSpy* spy = nullptr;
  if (FAILED(create(arguments != nullptr ? arguments : "", &spy)) || spy == nullptr) {
    RefuseSpy(spec, size, "its MallocSpyCreate failed");
  }
  const HRESULT added = mallocspy_add_spy(spy, MALLOCSPY_SEE_MALLOC);
  spy->Release();
  if (FAILED(added)) RefuseSpy(spec, size, "it could not be added to the chain of spies (8 are the most)");
  NoteLoaded();
}

// Whether the program's malloc is ours. Not by its address: that may be a stub in the program's own code. By a call,
// which inside the constructor's event is counted as bypassed.
bool IsInterposed() {
  const auto bound_malloc = reinterpret_cast<void* (*)(size_t)>(dlsym(RTLD_DEFAULT, "malloc"));
  const auto bound_free = reinterpret_cast<void (*)(void*)>(dlsym(RTLD_DEFAULT, "free"));
  const std::atomic<uint64_t>& bypassed = ledger::g_ledger.header().bypassed;
  const uint64_t before = bypassed.load(std::memory_order_relaxed);
  bound_free(bound_malloc(1));
  return bypassed.load(std::memory_order_relaxed) != before || ProcessOptions().record.Is("task");
}

void StartAll(char** environment) {
  wrapped::Bind();
  WatchExit();
  WatchThreadEnds();
  ThreadState* thread = ThisThread();
  if (thread != nullptr) thread->capturing = true;
  if (!LoadUnwinder()) ledger::g_ledger.SetDegraded(ledger::kNoUnwinder);
  if (thread != nullptr) thread->capturing = false;
  ledger::g_modules.Refresh();
  NoteStaticTls();
  FindReportTool();
  if (IsInterposed()) {
    ledger::g_ledger.header().interposed = 1;
  } else {
    ledger::g_ledger.SetDegraded(ledger::kNotInterposed);
  }
  const bool reports_itself = RunDirectory() == nullptr &&
                              (ProcessOptions().report.Is("auto") || ProcessOptions().keep.size != 0);
  BindSigaction(reinterpret_cast<SigactionFunction>(dlsym(RTLD_NEXT, "sigaction")));
  if (reports_itself || RunDirectory() != nullptr) WatchFatalSignals(reports_itself);
  WatchPageFaults();
  WatchRequests();
  WatchAutomaticDumps();
  if (ProcessOptions().hook_malloc.Is("0")) spy_chain.SetHookMalloc(false);
  if (ProcessOptions().hook_malloc.Is("1")) spy_chain.SetHookMalloc(true);
  LoadSpies();
  if (__lsan_default_suppressions != nullptr) {
    if (const char* text = __lsan_default_suppressions(); text != nullptr) {
      FutexLockHolder hold(ledger::g_ledger.lock());
      ledger::g_ledger.header().suppressions = ledger::g_ledger.AddString(text, std::strlen(text));
    }
  }
  RememberFollowing();
  if (ProcessOptions().follow.Is("none") || WasFollowedByAddition()) CleanEnvironment(environment);
}

// Before every other object's constructors, so that spies see what those allocate (-z initfirst).
__attribute__((constructor(101))) void Construct(int count, char** arguments, char** environment) {
  ConstructLibcEarly(count, arguments, environment);
  {
    // What the loader allocates for the libraries that we load is not the program's doing.
    const Event unrecorded;
    StartAll(environment);
  }
  ledger::g_ledger.header().bypassed.store(0, std::memory_order_relaxed);
}

}  // namespace

void LoadSpies() {
  if (IsSecureExecution()) return;
  const char* specs = InitialEnvironment("MALLOCSPY_SPIES");
  while (specs != nullptr && *specs != '\0') {
    const size_t size = std::strcspn(specs, "\n");
    if (size != 0) LoadSpy(specs, size);
    specs += size;
    if (*specs == '\n') ++specs;
  }
}

}  // namespace mallocspy
