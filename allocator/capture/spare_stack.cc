#include "allocator/capture/spare_stack.h"

#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocator/system/os_memory.h"
#include "allocator/system/raw_syscall.h"

// call_on_stack(function, argument, top): RBP keeps the way back, and its frame is an ordinary one to unwinders.
asm(R"(
  .text
  .type mallocspy_call_on_stack, @function
mallocspy_call_on_stack:
  .cfi_startproc
  endbr64
  push %rbp
  .cfi_def_cfa_offset 16
  .cfi_offset %rbp, -16
  mov %rsp, %rbp
  .cfi_def_cfa_register %rbp
  mov %rdx, %rsp
  mov %rdi, %rax
  mov %rsi, %rdi
  call *%rax
  mov %rbp, %rsp
  pop %rbp
  .cfi_def_cfa %rsp, 8
  ret
  .cfi_endproc
  .size mallocspy_call_on_stack, . - mallocspy_call_on_stack
)");
extern "C" __attribute__((visibility("hidden"))) void mallocspy_call_on_stack(void (*function)(void*), void* argument,
                                                                              void* top);

namespace mallocspy {
namespace {

constexpr size_t kStackBytes = 64 * 1024;
constexpr size_t kKept = 8;  // more threads than that at a time get a stack for the one call

struct SpareStack {
  std::atomic<bool> taken;
  char* low;  // null until it is first wanted
};
constinit SpareStack stacks[kKept] = {};

// One inaccessible page below it.
char* MapStack() {
  char* low = static_cast<char*>(MapPrivate(kPageBytes + kStackBytes));
  if (low != nullptr) RawSyscall(SYS_mprotect, low, kPageBytes, PROT_NONE);
  return low;
}

void RunOn(char* low, void (*function)(void*), void* argument) {
  mallocspy_call_on_stack(function, argument, low + kPageBytes + kStackBytes);
}

}  // namespace

bool RunOnSpareStack(void (*function)(void*), void* argument) {
  for (SpareStack& stack : stacks) {
    if (stack.taken.load(std::memory_order_relaxed) || stack.taken.exchange(true, std::memory_order_acquire)) continue;
    if (stack.low == nullptr) stack.low = MapStack();
    const bool there = stack.low != nullptr;
    if (there) RunOn(stack.low, function, argument);
    stack.taken.store(false, std::memory_order_release);
    return there;
  }
  char* low = MapStack();
  if (low == nullptr) return false;
  RunOn(low, function, argument);
  Unmap(low, kPageBytes + kStackBytes);
  return true;
}

void ResetSpareStacksAfterFork() {
  for (SpareStack& stack : stacks) stack.taken.store(false, std::memory_order_relaxed);
}

}  // namespace mallocspy
