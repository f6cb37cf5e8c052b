#include "allocator/snapshot/roots.h"

#include <link.h>
#include <signal.h>
#include <ucontext.h>

#include <algorithm>
#include <atomic>

#include "allocator/capture/unwinder.h"
#include "allocator/ledger/ledger.h"
#include "allocator/ledger/live_map.h"
#include "allocator/snapshot/root_regions.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/own_memory.h"
#include "allocator/system/raw_syscall.h"
#include "allocator/system/wrapped_malloc.h"
#include "allocator/thread_state.h"

namespace mallocspy {
namespace {

using ledger::RootKind;

constexpr uintptr_t kRedZone = 128;             // System V ABI for x86-64, 3.2.2
constexpr uintptr_t kControlBlockBytes = 4096;  // more than glibc's struct pthread
constexpr uintptr_t kMostStaticTls = 1 << 20;

constinit std::atomic<uintptr_t> static_tls_bytes{0};

struct Range {
  uintptr_t start;
  uintptr_t end;
};

// A growing list in memory of its own.
class Ranges {
 public:
  Ranges() = default;
  ~Ranges() {
    if (list_ != nullptr) Unmap(list_, capacity_ * sizeof(Range));
  }
  Ranges(const Ranges&) = delete;
  Ranges& operator=(const Ranges&) = delete;

  void Add(uintptr_t start, uintptr_t end) {
    if (start >= end || (size_ == capacity_ && !Grow())) return;
    list_[size_++] = {start, end};
  }
  // Ascending and disjoint from now on.
  void Settle() {
    std::sort(list_, list_ + size_, [](const Range& a, const Range& b) { return a.start < b.start; });
    size_t settled = 0;
    for (size_t i = 0; i < size_; ++i) {
      if (settled != 0 && list_[i].start <= list_[settled - 1].end) {
        list_[settled - 1].end = std::max(list_[settled - 1].end, list_[i].end);
      } else {
        list_[settled++] = list_[i];
      }
    }
    size_ = settled;
  }
  // The first that ends behind `address`; after Settle().
  const Range* FirstBehind(uintptr_t address) const {
    return std::upper_bound(begin(), end(), address, [](uintptr_t value, const Range& range) { return value < range.end; });
  }
  bool whole() const { return whole_; }
  const Range* begin() const { return list_; }
  const Range* end() const { return list_ + size_; }

 private:
  bool Grow() {
    const size_t capacity = capacity_ == 0 ? 4096 : capacity_ * 2;
    Range* grown = static_cast<Range*>(MapPrivate(capacity * sizeof(Range)));
    if (grown == nullptr) return whole_ = false;
    if (list_ != nullptr) {
      std::copy(list_, list_ + size_, grown);
      Unmap(list_, capacity_ * sizeof(Range));
    }
    list_ = grown;
    capacity_ = capacity;
    return true;
  }

  Range* list_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
  bool whole_ = true;
};

// A thread as marking sees it.
struct ThreadRoots {
  uint32_t tid;
  uintptr_t sp;
  // Where it is on its own stack, if `sp` is on the one for signal handlers; 0 if not, or not known.
  uintptr_t interrupted;
  uintptr_t control_block;
};

__attribute__((no_sanitize("address", "thread"))) uintptr_t WordAt(uintptr_t address) {
  return *reinterpret_cast<const volatile uintptr_t*>(address);
}

// What the kernel saved when a signal took the thread from its own stack to that of [start, start + bytes): the first frame on there, which
// names both. `sp`: where the thread is on that stack. Returns where it was on its own; 0 if that is not found.
uintptr_t InterruptedAt(uintptr_t sp, uintptr_t start, uintptr_t bytes) {
  const uintptr_t end = start + bytes;
  if (bytes == 0 || sp < start || sp >= end) return 0;
  constexpr uintptr_t kSavedBytes = offsetof(ucontext_t, uc_sigmask);
  for (uintptr_t at = RoundUp(sp, sizeof(uintptr_t)); at + kSavedBytes <= end; at += sizeof(uintptr_t)) {
    if (WordAt(at + offsetof(ucontext_t, uc_stack.ss_sp)) != start) continue;
    if (WordAt(at + offsetof(ucontext_t, uc_stack.ss_size)) != bytes) continue;
    const uintptr_t interrupted = WordAt(at + offsetof(ucontext_t, uc_mcontext.gregs) + REG_RSP * sizeof(greg_t));
    if (interrupted < start || interrupted > end) return interrupted;  // else the signal of another handler
  }
  return 0;
}

class Roots {
 public:
  Roots(const MemoryMap& map, const StoppedThreads& threads, const ProgramPoint& self, Reachability* blocks)
      : map_(map), threads_(threads), self_(self), blocks_(blocks) {}

  bool Mark() {
    stack_t other = {};
    RawSyscall(SYS_sigaltstack, nullptr, &other);  // a copied process has those of the thread that copied it
    const bool elsewhere = (other.ss_flags & SS_DISABLE) == 0;
    self_interrupted_ =
        elsewhere ? InterruptedAt(self_.sp, reinterpret_cast<uintptr_t>(other.ss_sp), other.ss_size) : 0;
    FindLeftOut();
    if (!left_out_.whole() || !KnowsAllOwnMemory()) return false;
    left_out_.Settle();
    MarkThreads();
    for (const Mapping& mapping : map_) {
      const bool writable = mapping.readable && mapping.writable;
      const bool of_program = mapping.kind != Mapping::kSpecial && !(mapping.shared && mapping.kind == Mapping::kFile);
      if (writable && of_program) MarkWithout(mapping.start, mapping.end);
    }
    MarkUnrecorded();
    MarkIgnored();
    return true;
  }

 private:
  // What is no root: the heap, our own, and what lies below the stack pointers.
  void FindLeftOut() {
    const auto add = [](uintptr_t start, uintptr_t end, void* context) { static_cast<Ranges*>(context)->Add(start, end); };
    ForEachOwnMemory(add, &left_out_);
    wrapped::ForEachHeapRange(add, &left_out_);
    for (const Mapping& mapping : map_) {
      if (mapping.kind == Mapping::kHeap) left_out_.Add(mapping.start, mapping.end);
    }
    for (uint32_t i = 1; i < ledger::g_ledger.Count(ledger::TableId::kModules); ++i) {
      const ledger::Module* module = ledger::g_ledger.At<ledger::Module>(ledger::TableId::kModules, i);
      if ((module->flags & ledger::kModuleSelf) != 0 && module->unloaded == 0) left_out_.Add(module->start, module->end);
    }
    // Large blocks may have mappings of their own.
    for (size_t i = 0; i < blocks_->size(); ++i) {
      const uintptr_t start = blocks_->AddressOf(i);
      if (blocks_->SizeOf(i) < kPageBytes || wrapped::IsInHeapRange(start)) continue;
      const Mapping* mapping = map_.Find(start);
      if (mapping != nullptr && mapping->kind != Mapping::kHeap) left_out_.Add(start, start + blocks_->SizeOf(i));
    }
    LeaveOutEndedStacks();
    LeaveOutBelow(self_.tid, self_interrupted_ != 0 ? self_interrupted_ - kRedZone : self_.sp);
    for (size_t i = 0; i < threads_.size(); ++i) {
      const StoppedThread& thread = threads_[i];
      if (!thread.answered) continue;
      const uintptr_t interrupted = InterruptedAt(thread.sp, thread.signal_stack, thread.signal_stack_bytes);
      // One that is on another stack, nobody knows since when.
      if (thread.signal_stack != 0 && interrupted == 0) continue;
      LeaveOutBelow(thread.tid, (interrupted != 0 ? interrupted : thread.sp) - kRedZone);
    }
  }

  // libc keeps stacks of ended threads for others to come, with all that was left on them.
  void LeaveOutEndedStacks() {
    ForEachEndedStack(
        [](const StackBounds& stack, uintptr_t control_block, void* context) {
          static_cast<Roots*>(context)->LeaveOutEnded(stack, control_block);
        },
        this);
  }
  // Only what is libc's for sure: a stack that the program gave to its thread is the program's again. libc's have a page in front that
  // cannot be touched, and a control block that leads to itself (glibc, tcbhead_t); what the ended thread returned is in there.
  void LeaveOutEnded(const StackBounds& stack, uintptr_t control_block) {
    if (control_block <= stack.low || control_block >= stack.high) return;
    const auto is_within = [&stack](uintptr_t sp) { return sp >= stack.low && sp < stack.high; };
    if (is_within(self_.sp) || is_within(self_interrupted_)) return;
    for (size_t i = 0; i < threads_.size(); ++i) {
      if (threads_[i].control_block == control_block || is_within(threads_[i].sp) || !threads_[i].answered) return;
    }
    const Mapping* mapping = map_.Find(stack.low);
    const Mapping* before = map_.Find(stack.low - 1);
    if (mapping == nullptr || mapping->start != stack.low || mapping->end < stack.high || !mapping->readable) return;
    if (before == nullptr || before->readable || before->writable) return;
    constexpr uintptr_t kSelf = 2 * sizeof(uintptr_t);
    if (WordAt(control_block) != control_block || WordAt(control_block + kSelf) != control_block) return;
    left_out_.Add(stack.low, control_block - static_tls_bytes.load(std::memory_order_relaxed));
  }

  // The unused part of the stack that `sp` is on.
  void LeaveOutBelow(uint32_t tid, uintptr_t sp) {
    StackBounds own = StackBoundsOf(tid);
    const Mapping* mapping = map_.Find(sp);
    uint64_t offset;
    if (blocks_->Find(sp, &offset) != Reachability::kNoBlock) return;  // a fiber's
    if (sp >= own.low && sp <= own.high && own.low != 0) {
      left_out_.Add(own.low, sp);
    } else if (mapping != nullptr && mapping->kind != Mapping::kHeap) {
      // A thread that we know nothing of. Where the bounds are known and `sp` is elsewhere, nothing says where that stack begins.
      if (own.low == 0) left_out_.Add(mapping->start, sp);
    }
  }

  // Last, so that what is held by something else is said to be.
  void MarkIgnored() {
    for (size_t i = 0; blocks_->has_ignored() && i < blocks_->size(); ++i) {
      if (!blocks_->IsIgnored(i)) continue;
      uintptr_t start = blocks_->AddressOf(i);
      const uintptr_t place = reinterpret_cast<uintptr_t>(&start);
      blocks_->MarkFrom({place, place + sizeof(start), RootKind::kIgnored, 0});
    }
    ForEachRootRegion(
        [](uintptr_t start, uintptr_t end, void* context) {
          Roots* roots = static_cast<Roots*>(context);
          for (const Mapping& mapping : roots->map_) {
            if (!mapping.readable || mapping.kind == Mapping::kSpecial) continue;
            const uintptr_t from = std::max(start, mapping.start);
            const uintptr_t to = std::min(end, mapping.end);
            if (from < to) roots->blocks_->MarkFrom({from, to, RootKind::kIgnored, 0});
          }
        },
        this);
  }

  void MarkThreads() {
    // Threads' stacks and thread-local data first: so a block is said to be theirs rather than a mapping's.
    uintptr_t control_block;
    asm("mov %%fs:0, %0" : "=r"(control_block));
    MarkThread({self_.tid, self_.sp, self_interrupted_, control_block});
    for (size_t i = 0; i < threads_.size(); ++i) {
      const StoppedThread& thread = threads_[i];
      if (!thread.answered) {
        // All of its stack; the first thread's is mapped only as far as it was used.
        const StackBounds own = StackBoundsOf(thread.tid);
        const Mapping* stack = own.high != 0 ? map_.Find(own.high - 1) : nullptr;
        if (stack != nullptr && stack->readable) {
          MarkWithout(std::max(own.low, stack->start), std::min(own.high, stack->end), RootKind::kStack, thread.tid);
        }
        continue;
      }
      const uintptr_t interrupted = InterruptedAt(thread.sp, thread.signal_stack, thread.signal_stack_bytes);
      MarkThread({thread.tid, thread.sp - kRedZone, interrupted, thread.control_block});
    }
    // Then registers: they also keep for a while what is no longer in use.
    if (self_.registers_bytes != 0) {
      blocks_->MarkFrom({self_.registers, self_.registers + self_.registers_bytes, RootKind::kRegisters, self_.tid});
    }
    for (size_t i = 0; i < threads_.size(); ++i) {
      const StoppedThread& thread = threads_[i];
      if (!thread.answered) continue;
      blocks_->MarkFrom({thread.registers, thread.registers + thread.registers_bytes, RootKind::kRegisters, thread.tid});
      blocks_->MarkFrom({thread.vectors, thread.vectors + thread.vectors_bytes, RootKind::kRegisters, thread.tid});
    }
  }

  void MarkThread(const ThreadRoots& thread) {
    const uintptr_t tls_end = thread.control_block + kControlBlockBytes;
    const uintptr_t tls_start = thread.control_block - static_tls_bytes.load(std::memory_order_relaxed);
    const Mapping* tls = map_.Find(thread.control_block);
    if (tls != nullptr && tls->readable) {
      MarkWithout(std::max(tls->start, tls_start), std::min(tls->end, tls_end), RootKind::kThreadLocal, thread.tid);
      MarkDynamicTls(thread);
    }
    MarkStack(thread.tid, thread.sp, tls_start);
    if (thread.interrupted != 0) MarkStack(thread.tid, thread.interrupted - kRedZone, tls_start);
  }

  // From `sp` to the end of the stack that it is on. `tls_start`: where the thread's static thread-local storage begins.
  void MarkStack(uint32_t tid, uintptr_t sp, uintptr_t tls_start) {
    uint64_t offset;
    if (const uint32_t fiber = blocks_->Find(sp, &offset); fiber != Reachability::kNoBlock) {
      const uintptr_t end = blocks_->AddressOf(fiber) + blocks_->SizeOf(fiber);
      return blocks_->MarkFrom({sp, end, RootKind::kStack, tid});
    }
    const Mapping* stack = map_.Find(sp);
    if (stack == nullptr || !stack->readable) return;
    StackBounds own = StackBoundsOf(tid);
    uintptr_t end = own.low != 0 && sp >= own.low && sp <= own.high ? std::min(own.high, stack->end) : stack->end;
    if (sp < tls_start && end > tls_start) end = tls_start;
    MarkWithout(sp, end, RootKind::kStack, tid);
  }

  // The thread's vector of thread-local blocks: its control block points behind the vector's first element (glibc, sysdeps/x86_64/nptl/tls.h).
  void MarkDynamicTls(const ThreadRoots& thread) {
    const uintptr_t vector = *reinterpret_cast<const volatile uintptr_t*>(thread.control_block + sizeof(uintptr_t));
    constexpr uintptr_t kElement = 2 * sizeof(uintptr_t);
    uintptr_t start = vector - kElement;
    const uintptr_t place = reinterpret_cast<uintptr_t>(&start);
    blocks_->MarkFrom({place, place + sizeof(start), RootKind::kThreadLocal, thread.tid});
  }

  // Blocks that we gave out without a header: nobody knows more of them than where they are.
  void MarkUnrecorded() {
    const auto mark = [](uintptr_t address, void* context) {
      const uintptr_t bytes = wrapped::UsableSize(reinterpret_cast<void*>(address));
      static_cast<Roots*>(context)->blocks_->MarkFrom({address, address + bytes, RootKind::kUnrecorded, 0});
    };
    ledger::g_live_map.ForEachPlain(mark, this);
  }

  // What of [start, end) is not left out; by default as what it is: a module's data or some mapping.
  void MarkWithout(uintptr_t start, uintptr_t end, RootKind kind = RootKind::kNone, uint32_t tid = 0) {
    for (const Range* range = left_out_.FirstBehind(start); range != left_out_.end() && range->start < end; ++range) {
      if (range->start > start) MarkPieces(start, range->start, kind, tid);
      start = std::max(start, range->end);
    }
    if (start < end) MarkPieces(start, end, kind, tid);
  }
  // The kernel makes one mapping of a module's zeroed data and what lies beside it.
  void MarkPieces(uintptr_t start, uintptr_t end, RootKind kind, uint32_t tid) {
    if (kind != RootKind::kNone) return blocks_->MarkFrom({start, end, kind, tid});
    while (start < end) {
      uintptr_t next = end;
      kind = RootKind::kMapping;
      for (uint32_t i = 1; i < ledger::g_ledger.Count(ledger::TableId::kModules); ++i) {
        const ledger::Module* module = ledger::g_ledger.At<ledger::Module>(ledger::TableId::kModules, i);
        if (module->unloaded != 0 || module->end <= start) continue;
        if (module->start <= start) kind = RootKind::kGlobal;
        next = std::min<uintptr_t>(next, module->start <= start ? module->end : module->start);
      }
      blocks_->MarkFrom({start, next, kind, tid});
      start = next;
    }
  }

  const MemoryMap& map_;
  const StoppedThreads& threads_;
  const ProgramPoint& self_;
  Reachability* blocks_;
  Ranges left_out_;
  uintptr_t self_interrupted_ = 0;  // of the calling thread, see ThreadRoots
};

}  // namespace

void NoteStaticTls() {
  uintptr_t control_block;
  asm("mov %%fs:0, %0" : "=r"(control_block));
  struct Search {
    uintptr_t control_block;
    uintptr_t farthest;
  } search = {control_block, 0};
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t size, void* context) {
        Search* search = static_cast<Search*>(context);
        if (size < offsetof(dl_phdr_info, dlpi_tls_data) + sizeof(info->dlpi_tls_data)) return 1;
        const uintptr_t data = reinterpret_cast<uintptr_t>(info->dlpi_tls_data);
        if (data != 0 && data < search->control_block && search->control_block - data < kMostStaticTls) {
          search->farthest = std::max(search->farthest, search->control_block - data);
        }
        return 0;
      },
      &search);
  static_tls_bytes.store(search.farthest, std::memory_order_relaxed);
}

bool MarkFromRoots(const MemoryMap& map, const StoppedThreads& threads, const ProgramPoint& self, Reachability* blocks) {
  return Roots(map, threads, self, blocks).Mark();
}

}  // namespace mallocspy
