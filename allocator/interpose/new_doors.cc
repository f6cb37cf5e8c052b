// The 8 forms of operator new and the 12 of operator delete.
//
// The standard lets a program replace some forms and have the others follow ([new.delete]): an array or nothrow form
// that was not replaced calls the plain one. So each of these asks whether the form that it would follow is still ours.
//
// The C++ runtime is not linked: only programs that use C++ have one, and then its functions are found. This is the one file
// of the library in which exceptions pass.
#include <dlfcn.h>

#include <cstddef>
#include <cstdint>
#include <new>

#include "allocator/entrance.h"
#include "allocator/interpose/export.h"
#include "allocator/system/raw_log.h"

// What the compiler refers to for `try`; a C program has none of them.
asm(".weak __gxx_personality_v0\n"
    ".weak __cxa_begin_catch\n"
    ".weak __cxa_end_catch\n"
    ".weak _Unwind_Resume\n"
    ".weak _ZSt9terminatev\n"
    ".weak __cxa_call_unexpected\n");

namespace std {
__attribute__((weak, noreturn)) void __throw_bad_alloc();
__attribute__((weak)) new_handler get_new_handler() noexcept;
}  // namespace std

// Ours, whatever the program's operators resolve to: hidden second names. By the assembler, since the compiler would give
// them the attributes that it knows of operator new.
#define MALLOCSPY_OWN(own, door) asm(".globl " #own "\n.hidden " #own "\n.set " #own ", " #door "\n")
MALLOCSPY_OWN(mallocspy_own_new, _Znwm);
MALLOCSPY_OWN(mallocspy_own_new_array, _Znam);
MALLOCSPY_OWN(mallocspy_own_aligned_new, _ZnwmSt11align_val_t);
MALLOCSPY_OWN(mallocspy_own_aligned_new_array, _ZnamSt11align_val_t);
MALLOCSPY_OWN(mallocspy_own_delete, _ZdlPv);
MALLOCSPY_OWN(mallocspy_own_delete_array, _ZdaPv);
MALLOCSPY_OWN(mallocspy_own_aligned_delete, _ZdlPvSt11align_val_t);
MALLOCSPY_OWN(mallocspy_own_aligned_delete_array, _ZdaPvSt11align_val_t);

extern "C" {
#define MALLOCSPY_HIDDEN __attribute__((visibility("hidden")))
MALLOCSPY_HIDDEN void mallocspy_own_new();
MALLOCSPY_HIDDEN void mallocspy_own_new_array();
MALLOCSPY_HIDDEN void mallocspy_own_aligned_new();
MALLOCSPY_HIDDEN void mallocspy_own_aligned_new_array();
MALLOCSPY_HIDDEN void mallocspy_own_delete();
MALLOCSPY_HIDDEN void mallocspy_own_delete_array();
MALLOCSPY_HIDDEN void mallocspy_own_aligned_delete();
MALLOCSPY_HIDDEN void mallocspy_own_aligned_delete_array();
}

namespace {

using mallocspy::Door;
using mallocspy::DoorFrame;
using mallocspy::kMinAlignment;
using mallocspy::Request;
namespace entrance = mallocspy::entrance;

// Compares what the loader bound with ours; the compiler must not decide that two names differ.
template <typename Bound>
bool Differs(Bound bound, void (*own)()) {
  uintptr_t bound_address = reinterpret_cast<uintptr_t>(bound);
  uintptr_t own_address = reinterpret_cast<uintptr_t>(own);
  asm("" : "+r"(bound_address), "+r"(own_address));
  return bound_address != own_address;
}

bool NewReplaced() { return Differs(static_cast<void* (*)(size_t)>(&::operator new), &mallocspy_own_new); }
bool NewArrayReplaced() { return Differs(static_cast<void* (*)(size_t)>(&::operator new[]), &mallocspy_own_new_array); }
bool AlignedNewReplaced() {
  return Differs(static_cast<void* (*)(size_t, std::align_val_t)>(&::operator new), &mallocspy_own_aligned_new);
}
bool AlignedNewArrayReplaced() {
  return Differs(static_cast<void* (*)(size_t, std::align_val_t)>(&::operator new[]), &mallocspy_own_aligned_new_array);
}
bool DeleteReplaced() { return Differs(static_cast<void (*)(void*)>(&::operator delete), &mallocspy_own_delete); }
bool DeleteArrayReplaced() {
  return Differs(static_cast<void (*)(void*)>(&::operator delete[]), &mallocspy_own_delete_array);
}
bool AlignedDeleteReplaced() {
  return Differs(static_cast<void (*)(void*, std::align_val_t)>(&::operator delete), &mallocspy_own_aligned_delete);
}
bool AlignedDeleteArrayReplaced() {
  return Differs(static_cast<void (*)(void*, std::align_val_t)>(&::operator delete[]),
                 &mallocspy_own_aligned_delete_array);
}

// A C program may have loaded its C++ runtime later, where a weak reference does not reach.
template <typename Function>
Function FromRuntime(Function bound, const char* symbol) {
  if (bound != nullptr) return bound;
  void* runtime = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);
  return runtime != nullptr ? reinterpret_cast<Function>(dlsym(runtime, symbol)) : nullptr;
}

// Calls the new handler; false if there is none.
bool CalledHandler() {
  const auto get = FromRuntime(&std::get_new_handler, "_ZSt15get_new_handlerv");
  const std::new_handler handler = get != nullptr ? get() : nullptr;
  if (handler == nullptr) return false;
  handler();
  return true;
}

[[noreturn]] void ThrowBadAlloc() {
  const auto raise = FromRuntime(&std::__throw_bad_alloc, "_ZSt17__throw_bad_allocv");
  if (raise != nullptr) raise();
  mallocspy::RawLine(2).Text("mallocspy: operator new: out of memory, and no C++ runtime to throw std::bad_alloc").End();
  __builtin_trap();
}

__attribute__((noinline)) void* AllocateAgain(size_t bytes, const Request& request, const DoorFrame* frame) {
  for (;;) {
    if (!CalledHandler()) ThrowBadAlloc();
    if (void* block = entrance::Allocate(bytes, request, frame); block != nullptr) return block;
  }
}

MALLOCSPY_ALWAYS_INLINE void* AllocateOrThrow(size_t bytes, const Request& request, const DoorFrame* frame) {
  void* block = entrance::Allocate(bytes, request, frame);
  return __builtin_expect(block != nullptr, 1) ? block : AllocateAgain(bytes, request, frame);
}

void* AllocateOrNull(size_t bytes, const Request& request, const DoorFrame* frame) noexcept {
  try {
    for (;;) {
      void* block = entrance::Allocate(bytes, request, frame);
      if (block != nullptr || !CalledHandler()) return block;
    }
  } catch (...) {  // the handler gave up
    return nullptr;
  }
}

template <typename Call>
void* CallOrNull(Call call) noexcept {
  try {
    return call();
  } catch (...) {
    return nullptr;
  }
}

Request Plain(Door door) { return {.door = door}; }
Request Aligned(Door door, std::align_val_t alignment) {
  const size_t value = static_cast<size_t>(alignment);
  return {.door = door, .alignment = value < kMinAlignment ? kMinAlignment : value};
}

MALLOCSPY_ALWAYS_INLINE void Delete(void* block, Door door, size_t bytes, size_t alignment, const DoorFrame* frame) {
  entrance::Deallocate(block, bytes, alignment, door, frame);
}

using mallocspy::fast_path::kNoSize;

}  // namespace

MALLOCSPY_DOOR void* operator new(size_t bytes) { return AllocateOrThrow(bytes, Plain(Door::kNew), MALLOCSPY_DOOR_FRAME()); }

MALLOCSPY_DOOR void* operator new[](size_t bytes) {
  if (NewReplaced()) return ::operator new(bytes);
  return AllocateOrThrow(bytes, Plain(Door::kNewArray), MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  if (NewReplaced()) return CallOrNull([=] { return ::operator new(bytes); });
  return AllocateOrNull(bytes, Plain(Door::kNew), MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void* operator new[](size_t bytes, const std::nothrow_t&) noexcept {
  if (NewArrayReplaced() || NewReplaced()) return CallOrNull([=] { return ::operator new[](bytes); });
  return AllocateOrNull(bytes, Plain(Door::kNewArray), MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void* operator new(size_t bytes, std::align_val_t alignment) {
  return AllocateOrThrow(bytes, Aligned(Door::kAlignedNew, alignment), MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void* operator new[](size_t bytes, std::align_val_t alignment) {
  if (AlignedNewReplaced()) return ::operator new(bytes, alignment);
  return AllocateOrThrow(bytes, Aligned(Door::kAlignedNewArray, alignment), MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void* operator new(size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  if (AlignedNewReplaced()) return CallOrNull([=] { return ::operator new(bytes, alignment); });
  return AllocateOrNull(bytes, Aligned(Door::kAlignedNew, alignment), MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void* operator new[](size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  if (AlignedNewArrayReplaced() || AlignedNewReplaced()) {
    return CallOrNull([=] { return ::operator new[](bytes, alignment); });
  }
  return AllocateOrNull(bytes, Aligned(Door::kAlignedNewArray, alignment), MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void operator delete(void* block) noexcept { Delete(block, Door::kNew, kNoSize, 0, MALLOCSPY_DOOR_FRAME()); }

MALLOCSPY_DOOR void operator delete[](void* block) noexcept {
  if (DeleteReplaced()) return ::operator delete(block);
  Delete(block, Door::kNewArray, kNoSize, 0, MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void operator delete(void* block, size_t bytes) noexcept {
  if (DeleteReplaced()) return ::operator delete(block);
  Delete(block, Door::kNew, bytes, 0, MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void operator delete[](void* block, size_t bytes) noexcept {
  if (DeleteArrayReplaced() || DeleteReplaced()) return ::operator delete[](block);
  Delete(block, Door::kNewArray, bytes, 0, MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void operator delete(void* block, const std::nothrow_t&) noexcept {
  if (DeleteReplaced()) return ::operator delete(block);
  Delete(block, Door::kNew, kNoSize, 0, MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void operator delete[](void* block, const std::nothrow_t&) noexcept {
  if (DeleteArrayReplaced() || DeleteReplaced()) return ::operator delete[](block);
  Delete(block, Door::kNewArray, kNoSize, 0, MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void operator delete(void* block, std::align_val_t alignment) noexcept {
  Delete(block, Door::kAlignedNew, kNoSize, static_cast<size_t>(alignment), MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void operator delete[](void* block, std::align_val_t alignment) noexcept {
  if (AlignedDeleteReplaced()) return ::operator delete(block, alignment);
  Delete(block, Door::kAlignedNewArray, kNoSize, static_cast<size_t>(alignment), MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void operator delete(void* block, size_t bytes, std::align_val_t alignment) noexcept {
  if (AlignedDeleteReplaced()) return ::operator delete(block, alignment);
  Delete(block, Door::kAlignedNew, bytes, static_cast<size_t>(alignment), MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void operator delete[](void* block, size_t bytes, std::align_val_t alignment) noexcept {
  if (AlignedDeleteArrayReplaced() || AlignedDeleteReplaced()) return ::operator delete[](block, alignment);
  Delete(block, Door::kAlignedNewArray, bytes, static_cast<size_t>(alignment), MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void operator delete(void* block, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  if (AlignedDeleteReplaced()) return ::operator delete(block, alignment);
  Delete(block, Door::kAlignedNew, kNoSize, static_cast<size_t>(alignment), MALLOCSPY_DOOR_FRAME());
}

MALLOCSPY_DOOR void operator delete[](void* block, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  if (AlignedDeleteArrayReplaced() || AlignedDeleteReplaced()) return ::operator delete[](block, alignment);
  Delete(block, Door::kAlignedNewArray, kNoSize, static_cast<size_t>(alignment), MALLOCSPY_DOOR_FRAME());
}
