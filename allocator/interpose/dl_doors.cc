// dlopen and dlclose: the module table learns of them, and RTLD_DEEPBIND, with which a library would bind to libc's malloc
// past our doors, is stripped.
//
// dlopen looks at its return address: the caller's RUNPATH and namespace decide what is found. So our door must not
// be on the stack when the real one runs; it changes the flags and jumps.
#include <dlfcn.h>

#include "allocator/capture/call_site_table.h"
#include "allocator/interpose/export.h"
#include "allocator/interpose/next.h"
#include "allocator/ledger/module_table.h"
#include "allocator/snapshot/roots.h"
#include "allocator/system/errno_keeper.h"
#include "allocator/thread_state.h"

namespace {

using mallocspy::Next;

// At once when something was unloaded, and before something is loaded, so that what lies at an address now is not taken for
// what lay there before: libc also unloads by itself.
void NoteUnloads() {
  // In an event: a signal handler's allocation must not wait for the lock that it interrupted, a forked child must have its own
  // record first, and a closed record is not touched.
  const mallocspy::Event event;
  if (!event.recording()) return;
  mallocspy::ledger::g_modules.Refresh();
  mallocspy::NoteStaticTls();  // of what was loaded before
}

constinit Next<int (*)(void*)> next_dlclose("dlclose");
constinit Next<void* (*)(const char*, int)> next_dlopen("dlopen");

}  // namespace

extern "C" {

// Where the jump goes; found by the first call.
__attribute__((visibility("hidden"))) void* mallocspy_next_dlopen = nullptr;

// The flags to open with.
__attribute__((visibility("hidden"), used)) int mallocspy_before_dlopen(int flags) {
  const mallocspy::ErrnoKeeper keeper;
  mallocspy_next_dlopen = reinterpret_cast<void*>(next_dlopen.get());
  mallocspy::g_call_sites.BeginUnload();
  NoteUnloads();
  mallocspy::g_call_sites.EndUnload();
  mallocspy::g_call_sites.BeforeLoad();
  if ((flags & RTLD_DEEPBIND) != 0) mallocspy::ledger::g_ledger.SetDegraded(mallocspy::ledger::kDeepbindStripped);
  return flags & ~RTLD_DEEPBIND;
}

asm(R"(
  .text
  .globl dlopen
  .type dlopen, @function
dlopen:
  .cfi_startproc
  endbr64
  push %rdi
  .cfi_adjust_cfa_offset 8
  sub $16, %rsp
  .cfi_adjust_cfa_offset 16
  mov %esi, %edi
  call mallocspy_before_dlopen
  mov %eax, %esi
  add $16, %rsp
  .cfi_adjust_cfa_offset -16
  pop %rdi
  .cfi_adjust_cfa_offset -8
  jmp *mallocspy_next_dlopen(%rip)
  .cfi_endproc
  .size dlopen, . - dlopen
)");

MALLOCSPY_DOOR int dlclose(void* handle) {
  mallocspy::g_call_sites.BeginUnload();
  const int result = next_dlclose.get()(handle);
  const mallocspy::ErrnoKeeper keeper;
  NoteUnloads();
  mallocspy::g_call_sites.EndUnload();
  return result;
}

}  // extern "C"
