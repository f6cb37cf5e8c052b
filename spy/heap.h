// What the spies' chain asks of the allocator beneath it. The wrapping allocator implements it (allocator/); tests
// implement it with made-up addresses.
#pragma once

#include <cstddef>
#include <cstdint>

#include "spy/door_frame.h"

namespace mallocspy {

// How a block was made. The numbers are part of the ledger's format and of every block's header.
enum class Door : uint8_t {
  kNone = 0,
  kTask = 1,            // CoTaskMemAlloc, IMalloc::Alloc
  kMalloc = 2,          // malloc, calloc, realloc, ...
  kNew = 3,             // operator new
  kNewArray = 4,        // operator new[]
  kAlignedMalloc = 5,   // memalign, posix_memalign, aligned_alloc, valloc, pvalloc
  kAlignedNew = 6,      // operator new(align_val_t)
  kAlignedNewArray = 7  // operator new[](align_val_t)
};
inline constexpr uint32_t kDoors = 8;

// Whether a block made through `made` may be freed or resized through `used`; Door::kNone, a spy's choice, is not judged.
constexpr bool DoorsMatch(Door made, Door used) {
  if (made == Door::kAlignedMalloc) made = Door::kMalloc;
  if (used == Door::kAlignedMalloc) used = Door::kMalloc;
  return used == Door::kNone || made == used;
}

// Every alignment below it costs nothing extra.
inline constexpr size_t kMinAlignment = 16;

// Through which door a call came and what its block must satisfy.
struct Request {
  Door door = Door::kMalloc;
  size_t alignment = kMinAlignment;  // a power of two, at least kMinAlignment
  bool zeroed = false;               // calloc: the caller must see zeros
  const DoorFrame* frame = nullptr;  // of the program's call; null if there is none
};

// The set of spies (by their slot in the chain) to which a block is a spied one; kept by the heap in the block's header.
using SpiedBy = uint8_t;
inline constexpr int kMaxSpies = 8;

// The allocator proper. Addresses are the starts of payloads: what a program sees when no spy moves it.
// None of these calls a spy. All are safe to call from any thread; none from a signal handler that interrupted one.
class Heap {
 public:
  // A new block of `bytes`, or nullptr with errno ENOMEM. Its spied set is empty.
  virtual void* Allocate(size_t bytes, const Request& request) = 0;
  // `block` resized to `bytes` (> 0), perhaps moved, its spied set kept; nullptr with errno ENOMEM leaves it unchanged. `block` is a live one.
  virtual void* Reallocate(void* block, size_t bytes, const Request& request) = 0;
  // Frees `block`. A pointer that is no live block is judged (double free, invalid free, another allocator's) here.
  virtual void Deallocate(void* block, const Request& request) = 0;
  // Requested bytes of a live block; (size_t)-1 for anything else.
  virtual size_t SizeOf(const void* block) = 0;
  // Whether this is the start of a live block, for any value at all.
  virtual bool IsLive(const void* block) = 0;
  // Gives unused memory back to the operating system.
  virtual void Minimize() = 0;
  // The spied set of a live block; 0 for anything else.
  virtual SpiedBy SpiedSet(const void* block) = 0;
  virtual void SetSpiedSet(void* block, SpiedBy spies) = 0;
  // Records that a spy broke the contract at this call: `what` ("PreAlloc returned fewer bytes than asked") is a
  // string literal; `block` may be null.
  virtual void ReportContractBreach(const char* what, const void* block, size_t bytes, Door door) = 0;

 protected:
  ~Heap() = default;
};

}  // namespace mallocspy
