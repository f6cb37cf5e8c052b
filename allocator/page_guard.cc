#include "allocator/page_guard.h"

#include <fcntl.h>

#include <cstring>

#include "allocator/ledger/ledger.h"
#include "allocator/ledger/live_map.h"
#include "allocator/process.h"
#include "allocator/quarantine.h"
#include "allocator/stack_recorder.h"
#include "allocator/system/raw_syscall.h"

namespace mallocspy {

constinit PageGuard g_page_guard;

namespace {

using ledger::BytesOnly;
using ledger::g_ledger;
using ledger::TableId;

constexpr uint64_t kUsualMappingLimit = 65530;  // DEFAULT_MAX_MAP_COUNT of Linux
constexpr uint64_t kMappingsOfABlock = 2;
constexpr uint64_t kPartOfMappings = 2;  // the others are the program's

uint64_t MappingLimit() {
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, "/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
  if (RawFailed(fd)) return kUsualMappingLimit;
  char text[24] = {};
  const long size = RawSyscall(SYS_read, fd, text, sizeof(text) - 1);
  RawSyscall(SYS_close, fd);
  uint64_t limit = 0;
  for (long i = 0; i < size && text[i] >= '0' && text[i] <= '9'; ++i) limit = limit * 10 + static_cast<uint64_t>(text[i] - '0');
  return limit != 0 ? limit : kUsualMappingLimit;
}

void CountBytesOnly(BytesOnly why) {
  g_ledger.header().bytes_only[static_cast<uint32_t>(why)].fetch_add(1, std::memory_order_relaxed);
}

// xorshift64*: of each thread its own.
uint64_t Random(ThreadState* thread) {
  uint64_t x = thread->random;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  thread->random = x;
  return x * 0x2545f4914f6cdd1d;
}

// "libfoo" and "libfoo.so" name /usr/lib/libfoo.so.1.
bool IsModuleNamed(uint32_t index, OptionText name) {
  if (index == 0 || index >= g_ledger.Count(TableId::kModules)) return false;
  const ledger::StringRef path = g_ledger.At<ledger::Module>(TableId::kModules, index)->path;
  const char* text = g_ledger.At<char>(TableId::kStrings, path.offset);
  uint32_t start = path.length;
  while (start > 0 && text[start - 1] != '/') --start;
  const uint32_t length = path.length - start;
  if (length < name.size || std::memcmp(text + start, name.data, name.size) != 0) return false;
  return length == name.size || text[start + name.size] == '.';
}

}  // namespace

class PageGuard::Work {
 public:
  Work(ThreadState* thread, uint64_t rest) : thread_(thread), rest_(rest), start_(rest != 0 ? Ticks() : 0) {}
  ~Work() {
    if (rest_ == 0) return;
    const uint64_t now = Ticks();
    const uint64_t from = thread_->guard_next > now ? thread_->guard_next : now;
    thread_->guard_next = from + (now - start_) * rest_;
  }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  static uint64_t Ticks() { return __builtin_ia32_rdtsc(); }

 private:
  ThreadState* const thread_;
  const uint64_t rest_;
  const uint64_t start_;
};

void PageGuard::Start(const Options& options) {
  period_ = options.page_guard;
  rest_ = period_ == 1 ? 0 : 100 / options.page_guard_percent - 1;
  min_bytes_ = options.page_guard_min_bytes;
  max_bytes_ = options.page_guard_max_bytes;
  within_ = options.page_guard_within;
  const uint64_t limit = MappingLimit();
  g_ledger.header().mapping_limit = limit;
  g_guarded_pages.Start(options.page_guard_side.Is("before") ? GuardedPages::Side::kBefore : GuardedPages::Side::kBehind,
                        limit / kPartOfMappings / kMappingsOfABlock);
}

// One of period_ on average: between two there are from none to twice as many, each number as likely as the others.
bool PageGuard::IsTurn(ThreadState* thread) const {
  if (period_ == 1) return true;
  int64_t& left = g_settings.watches_allocations ? thread->guard_left : thread->quick_left;
  const bool first = thread->random == 0;
  if (first) {
    thread->random = (g_header_secret.cookie ^ thread->tid * 0x9e3779b97f4a7c15) | 1;
  } else if (left >= 0 && --left >= 0) {  // the fast path has counted its own
    return false;
  }
  left = static_cast<int64_t>(Random(thread) % (2 * period_ - 1));
  return !first;
}

bool PageGuard::IsWithin(uint32_t stack) const {
  if (within_.size == 0) return true;
  uint32_t node = g_ledger.At<ledger::Stack>(TableId::kStacks, stack)->node;
  uint32_t last = 0;
  while (node != 0) {
    const ledger::Node* frame = g_ledger.At<ledger::Node>(TableId::kNodes, node);
    const auto index = static_cast<uint32_t>(frame->site >> ledger::kSiteModuleShift);
    if (index != last && IsModuleNamed(index, within_)) return true;
    last = index;
    node = frame->parent;
  }
  return false;
}

void* PageGuard::Make(size_t bytes, size_t front_bytes, const Request& request, ThreadState* thread) {
  if (!IsTurn(thread) || !armed_ || bytes < min_bytes_ || bytes > max_bytes_) return nullptr;
  if (rest_ != 0 && Work::Ticks() < thread->guard_next) return nullptr;
  const Work work(thread, rest_);
  const uint32_t stack = RecordStackAgain(thread, request.door);
  if (!IsWithin(stack)) return nullptr;
  const bool behind = g_guarded_pages.side() == GuardedPages::Side::kBehind;
  const bool guarded = g_settings.guards && !behind;
  const bool aligned = IsAligned(request.door);
  BytesOnly why;
  void* block = g_guarded_pages.Take(bytes, aligned ? request.alignment : kMinAlignment, front_bytes, guarded, &why);
  if (block == nullptr) {
    CountBytesOnly(why);
    return nullptr;
  }
  if (aligned) *ExtensionOf(block) = {request.alignment, front_bytes};
  WriteHeader(HeaderOf(block), stack, g_settings.mark, bytes, TraitsOf(request.door, guarded) | OriginOf(0, thread->ignoring != 0));
  if (guarded) WriteGuard(block, bytes);
  if (g_settings.guards && behind) g_guarded_pages.WriteSlack(block, bytes);
  if (g_settings.fills && !request.zeroed) std::memset(block, kNewByte, bytes);
  g_guarded_pages.SetMade(block);
  if (!ledger::g_live_map.SetLive(reinterpret_cast<uintptr_t>(block))) {
    g_guarded_pages.Free(block, 0, 0);
    CountBytesOnly(BytesOnly::kRoom);
    return nullptr;
  }
  thread->counters.CountAllocation(stack, bytes);
  g_ledger.header().page_guarded.fetch_add(1, std::memory_order_relaxed);
  return block;
}

void PageGuard::Free(void* block, ThreadState* thread) {
  if (thread == nullptr) return g_guarded_pages.Free(block, 0, 0);
  const Work work(thread, rest_);
  g_guarded_pages.Free(block, RecordPlace(thread), thread->tid);
}

size_t FindOverflow(const void* block, const BlockHeader& header) {
  if (header.guarded) return IsGuardWhole(block, header.size) ? 0 : CheckGuard(block, header.size);
  if (!g_settings.guards || !IsPageGuarded(block) || g_guarded_pages.side() != GuardedPages::Side::kBehind) return 0;
  return g_guarded_pages.CheckSlack(block, header.size);
}

GuardedPages::Place PlaceOfFreed(uintptr_t address) {
  const GuardedPages::Place place = g_guarded_pages.Of(reinterpret_cast<const void*>(address));
  return place.is_freed ? place : GuardedPages::Place{};
}

}  // namespace mallocspy
