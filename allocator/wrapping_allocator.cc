#include "allocator/wrapping_allocator.h"

#include <cerrno>
#include <cstring>

#include "allocator/ceiling.h"
#include "allocator/heap_errors.h"
#include "allocator/ledger/handover_table.h"
#include "allocator/ledger/live_map.h"
#include "allocator/page_guard.h"
#include "allocator/process.h"
#include "allocator/quarantine.h"
#include "allocator/reference_table.h"
#include "allocator/stack_recorder.h"
#include "allocator/system/errno_keeper.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/wrapped_malloc.h"

namespace mallocspy {

constinit WrappingAllocator g_heap;
constinit PictureFrees g_picture_frees;

namespace {

using ledger::BlockState;
using ledger::g_live_map;

uintptr_t AddressOf(const void* block) { return reinterpret_cast<uintptr_t>(block); }

// From the wrapped block to the payload.
size_t FrontBytes(const Request& request) {
  if (!IsAligned(request.door)) return sizeof(BlockHeader);
  const size_t needed = sizeof(BlockExtension) + sizeof(BlockHeader);
  return request.alignment > needed ? request.alignment : needed;
}

bool TooLarge(size_t bytes, const Request& request) {
  // PTRDIFF_MAX is malloc's own bound (glibc 2.30); what is added around the payload must not wrap either.
  return bytes > static_cast<size_t>(PTRDIFF_MAX) - 2 * kPageBytes || bytes > kMaxBlockBytes ||
         request.alignment > (size_t{1} << 46);
}

void* Wrapped(size_t total, size_t front_bytes, const Request& request) {
  if (IsAligned(request.door)) {
    void* raw = wrapped::Memalign(front_bytes, total);
    if (raw != nullptr && request.zeroed) std::memset(raw, 0, total);
    return raw;
  }
  return request.zeroed ? wrapped::Calloc(total) : wrapped::Malloc(total);
}

void* RawOf(void* block, const BlockHeader& header) {
  char* payload = static_cast<char*>(block);
  return payload - (IsAligned(static_cast<Door>(header.door)) ? ExtensionOf(block)->front_bytes : sizeof(BlockHeader));
}

// Whether the wrapped malloc's own realloc is not to be asked.
bool MovesAlways(const void* block) { return g_settings.fills || ProcessOptions().page_guard == 1 || IsPageGuarded(block); }

bool IsInherited(const BlockHeader& header) { return header.mark < g_settings.base_mark; }

// Gives the wrapped block back, or to `thread` (null in a call from inside an event) for its next one.
inline void GiveRaw(void* block, const BlockHeader& header, ThreadState* thread) {
  void* raw = RawOf(block, header);
  if (thread != nullptr && !IsAligned(static_cast<Door>(header.door))) {
    thread->blocks.Give(raw, RawBytes(header.size, header.guarded));
  } else {
    wrapped::Free(raw);
  }
}

// From live to freed; false if it is not live. Only its maker needs no atomic operation, which tells which of two threads was first.
inline bool Claim(void* block, const ThreadState* thread) {
  if (g_live_map.StateOf(AddressOf(block)) != BlockState::kLive) return false;
  if (thread == nullptr || thread->owner == 0 || HeaderOf(block)->owner != thread->owner) return g_live_map.Claim(AddressOf(block));
  g_live_map.ClaimOwn(AddressOf(block));
  return true;
}

// False if it is not kept. What has to leave for it is looked at.
bool KeepFreed(void* block, const BlockHeader& header, const Request& request, ThreadState* thread) {
  if (!g_quarantine.Keep({block, RawOf(block, header), header, RecordPlace(thread), g_settings.base_mark})) return false;
  for (;;) {
    const Quarantine::Kept leaving = g_quarantine.TakeSurplus();
    if (leaving.block == nullptr) return true;
    Damage damage;
    if (FindDamage(leaving, &damage)) {
      ReportBlockError(damage.kind, leaving.block, &leaving.header, request.door, damage.value, thread, leaving.freed);
    }
    wrapped::Free(leaving.raw);
  }
}

// Whether there is room below the ceiling for a block; if not, that is told.
bool Admitted(size_t bytes, ThreadState* thread) {
  if (__builtin_expect(!g_settings.has_ceiling, 1) || g_ceiling.Admit(bytes)) return true;
  ReportInjectedFailure(bytes, RecordPlace(thread), thread->tid);
  return false;
}
bool MayBecome(size_t before, size_t bytes, ThreadState* thread) {
  if (__builtin_expect(!g_settings.has_ceiling, 1) || g_ceiling.Resize(before, bytes)) return true;
  ReportInjectedFailure(bytes, RecordPlace(thread), thread->tid);
  return false;
}
void NotMade(size_t bytes) {
  if (__builtin_expect(g_settings.has_ceiling, 0)) g_ceiling.Leave(bytes);
}

// A block without a header begins here, maybe where one of ours was. With record=task most blocks are like that, and to know it of each
// is not worth a leaf.
void NotePlain(void* block) {
  if (g_settings.records_all && AddressOf(block) % kMinAlignment == 0) {
    g_live_map.SetPlain(AddressOf(block));
  } else {
    g_live_map.Forget(AddressOf(block));
  }
}

// `thread` is null in a call from inside an event.
void CountFree(ThreadState* thread, const BlockHeader& header, const Request& request) {
  // Not from inside an event, which may hold the ledger's lock.
  if (__builtin_expect(g_settings.notes_handovers, 0) && thread != nullptr && !IsInherited(header)) {
    const uintptr_t caller = request.frame != nullptr ? reinterpret_cast<uintptr_t>(request.frame->return_address) : 0;
    ledger::NoteHandover(header.stack, static_cast<Door>(header.door), header.size, request.door, caller);
  }
  if (IsInherited(header)) {
    ledger::g_ledger.header().inherited_frees.fetch_add(1, std::memory_order_relaxed);
  } else if (thread != nullptr) {
    thread->counters.CountFree(header.stack, header.size);
  } else {
    ledger::CountFreeShared(header.stack, header.size);
  }
}

}  // namespace

void* WrappingAllocator::AllocatePlain(size_t bytes, const Request& request, const Event& event) {
  // Before and after the record there is none to count in; it may be null, or a parent's.
  if (!event.recording() && CurrentPhase() == Phase::kRunning && !InOwnCall() && IsRecorded(request.door)) {
    ledger::g_ledger.header().bypassed.fetch_add(1, std::memory_order_relaxed);
  }
  void* block = Wrapped(bytes, IsAligned(request.door) ? request.alignment : 0, request);
  if (block == nullptr) return nullptr;
  NotePlain(block);
  return block;
}

void* WrappingAllocator::Place(void* raw, size_t front_bytes, size_t bytes, const Request& request, uint32_t stack,
                               ThreadState* thread) {
  void* block = static_cast<char*>(raw) + front_bytes;
  if (IsAligned(request.door)) *ExtensionOf(block) = {request.alignment, front_bytes};
  WriteHeader(HeaderOf(block), stack, g_settings.mark, bytes,  TraitsOf(request.door, g_settings.guards) | thread->origin);
  if (g_settings.guards) WriteGuard(block, bytes);
  if (__builtin_expect(g_settings.fills, 0) && !request.zeroed) std::memset(block, kNewByte, bytes);
  if (__builtin_expect(!g_live_map.SetLive(AddressOf(block)), 0)) return nullptr;
  thread->counters.CountAllocation(stack, bytes);
  return block;
}

void* WrappingAllocator::Allocate(size_t bytes, const Request& request) {
  Event event;
  if (!event.recording() || !IsRecorded(request.door)) return AllocatePlain(bytes, request, event);
  event.thread()->frame = request.frame;
  if (TooLarge(bytes, request) || !Admitted(bytes, event.thread())) {
    errno = ENOMEM;
    return nullptr;
  }
  const size_t front_bytes = FrontBytes(request);
  if (__builtin_expect(g_settings.guards_pages, 0)) {
    if (void* block = g_page_guard.Make(bytes, front_bytes, request, event.thread()); block != nullptr) return block;
  }
  void* raw = IsAligned(request.door) ? Wrapped(front_bytes + TailBytes(bytes, g_settings.guards), front_bytes, request)
                                      : event.thread()->blocks.Get(RawBytes(bytes, g_settings.guards), request.zeroed);
  if (raw == nullptr) {
    NotMade(bytes);
    errno = ENOMEM;
    return nullptr;
  }
  const uint32_t stack = RecordStackAgain(event.thread(), request.door);
  void* block = Place(raw, front_bytes, bytes, request, stack, event.thread());
  if (block == nullptr) {  // no memory for the live map: rather no block than one that cannot be told from others
    wrapped::Free(raw);
    NotMade(bytes);
    errno = ENOMEM;
    return nullptr;
  }
  return block;
}

void WrappingAllocator::CheckDoor(const void* block, const BlockHeader& header, Door used, ThreadState* thread) {
  const Door made = static_cast<Door>(header.door);
  if (__builtin_expect(made == used, 1) || DoorsMatch(made, used)) return;
  ReportBlockError(ledger::ErrorKind::kMismatchedFree, block, &header, used, 0, thread);
}

// What a call through `used` that ends a block with a sound header says of it.
void WrappingAllocator::Judge(const void* block, const BlockHeader& header, Door used, ThreadState* thread) {
  CheckDoor(block, header, used, thread);
  if (const size_t offset = FindOverflow(block, header); __builtin_expect(offset != 0, 0)) {
    ReportBlockError(ledger::ErrorKind::kHeapOverflow, block, &header, used, offset, thread);
  }
}

void WrappingAllocator::FreeRecorded(void* block, const Request& request, ThreadState* thread) {
  BlockHeader header = *HeaderOf(block);
  if (!IsSealed(HeaderOf(block)) && IsPageGuarded(block)) {  // a copy of it lies elsewhere
    header = g_guarded_pages.Of(block).header;
    if (thread != nullptr) ReportBlockError(ledger::ErrorKind::kHeapUnderflow, block, &header, request.door, 0, thread);
  } else if (!IsSealed(HeaderOf(block))) {
    // Neither size nor stack can be believed, nor where the wrapped block starts: it is given up.
    if (thread != nullptr) {
      ReportBlockError(ledger::ErrorKind::kHeapUnderflow, block, nullptr, request.door, 0, thread);
    }
    ledger::CountFreeShared(0, 0);
    return;
  }
  if (thread != nullptr) {
    Judge(block, header, request.door, thread);
    if (__builtin_expect(g_references.in_use(), 0)) g_references.BlockEnds(block, header.size, RecordPlace(thread), thread->tid);
  }
  CountFree(thread, header, request);
  if (__builtin_expect(g_settings.has_ceiling, 0)) g_ceiling.Leave(header.size);
  if (IsPageGuarded(block)) return g_page_guard.Free(block, thread);
  if (__builtin_expect(g_settings.fills, 0)) {
    std::memset(block, kFreedByte, header.size);
    if (g_settings.keeps_freed && thread != nullptr && KeepFreed(block, header, request, thread)) return;
  }
  GiveRaw(block, header, thread);
}

// A pointer that is no live block: either the program erred (reported, and nothing must be done with it), or it is
// another allocator's.
bool WrappingAllocator::IsHandled(void* block, const Request& request, ThreadState* thread) {
  if (!IsRecorded(request.door)) return false;  // every block of such a door is another allocator's
  if (JudgeForeign(block, request.door, thread)) return true;
  ledger::g_ledger.header().foreign_frees.fetch_add(1, std::memory_order_relaxed);
  return false;
}

void WrappingAllocator::Deallocate(void* block, const Request& request) {
  if (block == nullptr) return;
  if (__builtin_expect(g_picture_frees.take != nullptr, 0)) return g_picture_frees.take(block, g_picture_frees.context);
  Event event;
  if (event.recording()) event.thread()->frame = request.frame;
  if (Claim(block, event.thread())) {
    if (event.over()) {
      // A page beside it stays as it is: what would be met there is told no more.
      if (!IsPageGuarded(block) && IsSealed(HeaderOf(block))) wrapped::Free(RawOf(block, *HeaderOf(block)));
    } else {
      FreeRecorded(block, request, event.thread());
    }
    return;
  }
  const ErrnoKeeper keeper;
  if (g_live_map.StateOf(AddressOf(block)) == BlockState::kPlain) {
    g_live_map.Forget(AddressOf(block));
  } else if (event.recording() && IsHandled(block, request, event.thread())) {
    return;
  }
  wrapped::Free(block);
}

// By a new block and a copy: for aligned blocks, and where no event may be recorded.
void* WrappingAllocator::Move(void* block, const BlockHeader& before, size_t bytes, const Request& request) {
  void* moved = Allocate(bytes, request);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, block, before.size < bytes ? before.size : bytes);
  if (before.spied != 0) SetSpiedSet(moved, static_cast<SpiedBy>(before.spied));
  if (before.ignored != 0) Ignore(moved);
  Deallocate(block, {.door = static_cast<Door>(before.door), .frame = request.frame});
  return moved;
}

void* WrappingAllocator::Reallocate(void* block, size_t bytes, const Request& request) {
  {
    Event event;
    if (event.recording()) event.thread()->frame = request.frame;
    const BlockState state = g_live_map.StateOf(AddressOf(block));
    if (state == BlockState::kPlain) {
      g_live_map.Forget(AddressOf(block));  // before another thread may get the place
      void* resized = wrapped::Realloc(block, bytes);
      NotePlain(resized != nullptr ? resized : block);
      return resized;
    }
    if (state != BlockState::kLive) {
      if (event.recording() && IsHandled(block, request, event.thread())) {
        errno = ENOMEM;
        return nullptr;
      }
      void* resized = wrapped::Realloc(block, bytes);
      if (resized != nullptr) g_live_map.Forget(AddressOf(resized));
      return resized;
    }
    BlockHeader before = *HeaderOf(block);
    if (!IsSealed(HeaderOf(block))) {
      if (event.recording()) {
        ReportBlockError(ledger::ErrorKind::kHeapUnderflow, block, nullptr, request.door, 0, event.thread());
      }
      errno = ENOMEM;
      return nullptr;
    }
    if (TooLarge(bytes, request)) {
      errno = ENOMEM;
      return nullptr;
    }
    if (event.recording() && !IsAligned(static_cast<Door>(before.door)) && !MovesAlways(block)) {
      const int saved_errno = errno;
      ThreadState* thread = event.thread();
      Judge(block, before, request.door, thread);
      if (!MayBecome(before.size, bytes, thread)) {
        errno = ENOMEM;
        return nullptr;
      }
      const uint32_t stack = RecordStackAgain(thread, request.door);
      // Not live while the wrapped malloc may give its old place to another thread.
      if (!Claim(block, thread)) {
        errno = ENOMEM;
        return nullptr;
      }
      void* raw = wrapped::Realloc(RawOf(block, before), BlockCache::Rounded(RawBytes(bytes, g_settings.guards)));
      if (raw == nullptr) {
        g_live_map.SetLive(AddressOf(block));
        if (__builtin_expect(g_settings.has_ceiling, 0)) g_ceiling.Resize(bytes, before.size);
        errno = ENOMEM;
        return nullptr;
      }
      CountFree(thread, before, request);
      void* placed = Place(raw, sizeof(BlockHeader), bytes, request, stack, thread);
      if (placed == nullptr) {
        errno = ENOMEM;
        return nullptr;  // the content is lost with the block; only a process out of address space gets here
      }
      if (before.spied != 0) SetSpiedSet(placed, static_cast<SpiedBy>(before.spied));
      if (before.ignored != 0) Ignore(placed);
      errno = saved_errno;
      return placed;
    }
    if (event.recording()) CheckDoor(block, before, request.door, event.thread());
  }
  return Move(block, *HeaderOf(block), bytes, request);
}

size_t WrappingAllocator::SizeOf(const void* block) {
  if (!IsLive(block) || !IsSealed(HeaderOf(block))) return static_cast<size_t>(-1);
  return HeaderOf(block)->size;
}

bool WrappingAllocator::IsLive(const void* block) {
  return g_live_map.StateOf(AddressOf(block)) == BlockState::kLive;
}

void WrappingAllocator::Minimize() { Trim(0); }

bool WrappingAllocator::Trim(size_t pad_bytes) {
  ErrnoKeeper keeper;
  if (const Event event; event.recording()) event.thread()->blocks.Empty();
  return wrapped::Trim(pad_bytes);
}

SpiedBy WrappingAllocator::SpiedSet(const void* block) {
  if (!IsLive(block) || !IsSealed(HeaderOf(block))) return 0;
  return static_cast<SpiedBy>(HeaderOf(block)->spied);
}

bool WrappingAllocator::Ignore(const void* block) {
  const Event event;  // nobody looks at the header meanwhile
  if (!IsLive(block) || !IsSealed(HeaderOf(block))) return false;
  BlockHeader* header = HeaderOf(const_cast<void*>(block));
  header->ignored = 1;
  Seal(header);
  return true;
}

void WrappingAllocator::SetSpiedSet(void* block, SpiedBy spies) {
  const Event event;  // nobody looks at the header meanwhile
  if (!IsLive(block) || !IsSealed(HeaderOf(block))) return;
  BlockHeader* header = HeaderOf(block);
  header->spied = spies;
  Seal(header);
}

void WrappingAllocator::ReportContractBreach(const char* what, const void* block, size_t bytes, Door door) {
  ErrnoKeeper keeper;
  Event event;
  if (!event.recording()) return;
  event.thread()->frame = nullptr;
  ReportBreach(what, block, bytes, door, event.thread());
}

void WrappingAllocator::CheckClaims(const void* block, size_t bytes, size_t alignment, Door door, const DoorFrame* frame) {
  if (!IsLive(block) || !IsSealed(HeaderOf(block))) return;
  ErrnoKeeper keeper;
  Event event;
  if (!event.recording()) return;
  event.thread()->frame = frame;
  const BlockHeader header = *HeaderOf(block);
  if (!DoorsMatch(static_cast<Door>(header.door), door)) return;  // a mismatched free says it all
  if (header.spied != 0) return;  // its size is what the spy asked for
  if (bytes != static_cast<size_t>(-1) && bytes != header.size) {
    ReportBlockError(ledger::ErrorKind::kSizedDeleteMismatch, block, &header, door, bytes, event.thread());
  }
  if (alignment != 0 && IsAligned(static_cast<Door>(header.door)) &&
      ExtensionOf(const_cast<void*>(block))->alignment != (alignment < kMinAlignment ? kMinAlignment : alignment)) {
    ReportBlockError(ledger::ErrorKind::kBadAlignment, block, &header, door, alignment, event.thread());
  }
}

}  // namespace mallocspy
