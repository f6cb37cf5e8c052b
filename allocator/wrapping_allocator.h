// The wrapping allocator: every block from the wrapped malloc with a header, a guard, a live bit and a counted stack, and
// every call judged by them. It is the heap beneath the spies' chain; the doors reach it through the chain.
//
// Calls made inside a recorded call (a signal handler, the unwinder) and calls after the record was closed get plain blocks of
// the wrapped malloc; a block says by its live bit which kind it is, so any of them may be freed through any door at any time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/block_header.h"
#include "allocator/thread_state.h"
#include "spy/door_frame.h"
#include "spy/heap.h"

namespace mallocspy {

class WrappingAllocator final : public Heap {
 public:
  void* Allocate(size_t bytes, const Request& request) override;
  void* Reallocate(void* block, size_t bytes, const Request& request) override;
  void Deallocate(void* block, const Request& request) override;
  size_t SizeOf(const void* block) override;
  bool IsLive(const void* block) override;
  void Minimize() override;
  SpiedBy SpiedSet(const void* block) override;
  void SetSpiedSet(void* block, SpiedBy spies) override;
  void ReportContractBreach(const char* what, const void* block, size_t bytes, Door door) override;

  // Minimize(), but for `pad_bytes` at the heap's top; whether any memory was given back.
  bool Trim(size_t pad_bytes);

  // The block, and all that only it leads to, is no leak from now on; false if it is no live block.
  bool Ignore(const void* block);

  // What a sized or aligned delete or free says about a block, before it is freed: `bytes` unless it is
  // (size_t)-1, `alignment` unless it is 0. A difference is an error of the program.
  void CheckClaims(const void* block, size_t bytes, size_t alignment, Door door, const DoorFrame* frame);

 private:
  void* AllocatePlain(size_t bytes, const Request& request, const Event& event);
  void* Place(void* raw, size_t front_bytes, size_t bytes, const Request& request, uint32_t stack, ThreadState* thread);
  void FreeRecorded(void* block, const Request& request, ThreadState* thread);
  bool IsHandled(void* block, const Request& request, ThreadState* thread);
  void* Move(void* block, const BlockHeader& before, size_t bytes, const Request& request);
  void CheckDoor(const void* block, const BlockHeader& header, Door used, ThreadState* thread);
  void Judge(const void* block, const BlockHeader& header, Door used, ThreadState* thread);
};

extern WrappingAllocator g_heap;

// In a copy of the process: what is freed is only told to `take`, where that is not null.
struct PictureFrees {
  void (*take)(void* block, void* context) = nullptr;
  void* context = nullptr;
};
extern PictureFrees g_picture_frees;

}  // namespace mallocspy
