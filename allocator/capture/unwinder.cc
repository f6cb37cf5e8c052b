#include "allocator/capture/unwinder.h"

#include <dlfcn.h>
#include <libunwind-x86_64.h>
#include <sys/uio.h>
#include <time.h>

#include <atomic>
#include <cstring>

#include "allocator/capture/spare_stack.h"
#include "allocator/system/initial_stack.h"
#include "allocator/system/raw_syscall.h"
#include "allocator/system/signals_blocked.h"

// In libunwind-x86_64.so and documented nowhere else but in its own remote unwinders: finds `ip` in a table of .eh_frame_hdr.
extern "C" int _Ux86_64_dwarf_search_unwind_table(unw_addr_space_t, unw_word_t ip, unw_dyn_info_t*, unw_proc_info_t*, int,
                                                  void*);

namespace mallocspy {
namespace {

constinit decltype(&unw_create_addr_space) create_space = nullptr;
constinit decltype(&unw_init_remote) init_remote = nullptr;
constinit decltype(&unw_step) step = nullptr;
constinit decltype(&unw_get_reg) get_register = nullptr;
constinit decltype(&unw_get_save_loc) get_save_location = nullptr;
constinit decltype(&unw_set_caching_policy) set_caching_policy = nullptr;
constinit decltype(&_Ux86_64_dwarf_search_unwind_table) search_table = nullptr;
constinit unw_addr_space_t space = nullptr;

constinit std::atomic<uint32_t> unwinding{0};
constinit std::atomic<uint32_t> forks{0};

constinit thread_local bool in_unwinder __attribute__((tls_model("initial-exec"))) = false;

class InUnwinder {
 public:
  InUnwinder() { in_unwinder = true; }
  ~InUnwinder() { in_unwinder = before_; }
  InUnwinder(const InUnwinder&) = delete;
  InUnwinder& operator=(const InUnwinder&) = delete;

 private:
  const bool before_ = in_unwinder;
};

constexpr uint32_t kRegisters = 17;  // libunwind's numbers: 6 is RBP, 7 RSP, 16 RIP

// What libunwind is shown: registers, memory, and where the call frame information is.
struct View {
  uintptr_t registers[kRegisters];
  bool found = false;  // there was call frame information for the last address asked for
  // The loaded object of that address: libunwind reads its tables.
  uintptr_t object_start = 0;
  uintptr_t object_end = 0;
  bool (*read_stack)(View* view, uintptr_t address, uintptr_t* value) = nullptr;
};

// ---- Memory of real stacks ----

struct RealView : View {
  StackBounds bounds;
};

bool ReadByKernel(uintptr_t address, uintptr_t* value) {
  const iovec to = {value, sizeof(*value)};
  const iovec from = {reinterpret_cast<void*>(address), sizeof(*value)};
  const long pid = RawSyscall(SYS_getpid);
  return RawSyscall(SYS_process_vm_readv, pid, &to, 1, &from, 1, 0) == sizeof(*value);
}

bool ReadRealStack(View* view, uintptr_t address, uintptr_t* value) {
  const StackBounds bounds = static_cast<RealView*>(view)->bounds;
  const uintptr_t sp = view->registers[UNW_X86_64_RSP];
  if (sp <= address && bounds.low <= address && address + sizeof(*value) <= bounds.high) {
    std::memcpy(value, reinterpret_cast<const void*>(address), sizeof(*value));
    return true;
  }
  return ReadByKernel(address, value);
}

// ---- Made-up stacks ----
// To learn a rule, registers and memory get made-up values that tell where they came from. None is a canonical address.

constexpr uintptr_t kMadeUpSp = 0x1100000080000000;
constexpr uintptr_t kMadeUpBp = 0x2200000080000000;
constexpr uintptr_t kMadeUpWord = 0x3300000080000000;  // the i-th word read is this plus i << 32
constexpr uintptr_t kMadeUpRegister = 0x4400000080000000;
constexpr uintptr_t kReach = 0x80000000;  // offsets of rules are below it
constexpr uint32_t kMaxReads = 8;

struct MadeUpView : View {
  uint32_t reads = 0;
  uintptr_t addresses[kMaxReads];

  static uintptr_t WordAt(uint32_t index) { return kMadeUpWord + (uintptr_t{index} << 32); }
};

bool IsNear(uintptr_t value, uintptr_t base) { return value - base + kReach < 2 * kReach; }

bool ReadMadeUpStack(View* view, uintptr_t address, uintptr_t* value) {
  MadeUpView* made_up = static_cast<MadeUpView*>(view);
  const bool behind_word = address - kMadeUpWord + kReach < (uintptr_t{kMaxReads} << 32);
  if (!IsNear(address, kMadeUpSp) && !IsNear(address, kMadeUpBp) && !behind_word) return false;
  uint32_t index = 0;
  while (index < made_up->reads && made_up->addresses[index] != address) ++index;
  if (index == kMaxReads) return false;
  if (index == made_up->reads) made_up->addresses[made_up->reads++] = address;
  *value = MadeUpView::WordAt(index);
  return true;
}

// ---- libunwind's questions ----

// .eh_frame_hdr (LSB Core 5.0, 10.6.2), in the one form that linkers make: a sorted table of pairs of 32-bit offsets.
struct FrameHeader {
  uint8_t version;
  uint8_t pointer_encoding;
  uint8_t count_encoding;
  uint8_t table_encoding;
  int32_t eh_frame;
  uint32_t count;
};
constexpr uint8_t kFourBytes = 0x03;        // DW_EH_PE_udata4
constexpr uint8_t kFourBytesFromPc = 0x1b;  // DW_EH_PE_pcrel | sdata4
constexpr uint8_t kSortedPairs = 0x3b;      // DW_EH_PE_datarel | sdata4

int FindProcInfo(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t* info, int need_unwind_info, void* argument) {
  View* view = static_cast<View*>(argument);
  view->found = false;
  dl_find_object object;
  if (_dl_find_object(reinterpret_cast<void*>(ip), &object) != 0 || object.dlfo_eh_frame == nullptr) return -UNW_ENOINFO;
  const FrameHeader* header = static_cast<const FrameHeader*>(object.dlfo_eh_frame);
  if (header->version != 1 || header->pointer_encoding != kFourBytesFromPc || header->count_encoding != kFourBytes ||
      header->table_encoding != kSortedPairs) {
    return -UNW_ENOINFO;
  }
  view->object_start = reinterpret_cast<uintptr_t>(object.dlfo_map_start);
  view->object_end = reinterpret_cast<uintptr_t>(object.dlfo_map_end);
  unw_dyn_info_t table = {};
  table.start_ip = view->object_start;
  table.end_ip = view->object_end;
  table.format = UNW_INFO_FORMAT_REMOTE_TABLE;
  table.u.rti.segbase = reinterpret_cast<uintptr_t>(header);
  table.u.rti.table_len = header->count;
  table.u.rti.table_data = reinterpret_cast<uintptr_t>(header + 1);
  const int result = search_table(as, ip, &table, info, need_unwind_info, argument);
  view->found = result >= 0;
  return result;
}

void PutUnwindInfo(unw_addr_space_t, unw_proc_info_t*, void*) {}
int NoDynamicList(unw_addr_space_t, unw_word_t*, void*) { return -UNW_ENOINFO; }

int AccessMemory(unw_addr_space_t, unw_word_t address, unw_word_t* value, int write, void* argument) {
  View* view = static_cast<View*>(argument);
  if (write != 0) return -UNW_EINVAL;
  if (view->object_start <= address && address + sizeof(*value) <= view->object_end) {
    std::memcpy(value, reinterpret_cast<const void*>(address), sizeof(*value));
    return 0;
  }
  uintptr_t word;
  if (!view->read_stack(view, address, &word)) return -UNW_EINVAL;
  *value = word;
  return 0;
}

int AccessRegister(unw_addr_space_t, unw_regnum_t number, unw_word_t* value, int write, void* argument) {
  if (write != 0 || number < 0 || number >= static_cast<int>(kRegisters)) return -UNW_EBADREG;
  *value = static_cast<View*>(argument)->registers[number];
  return 0;
}

int AccessFloat(unw_addr_space_t, unw_regnum_t, unw_fpreg_t*, int, void*) { return -UNW_EBADREG; }
int Resume(unw_addr_space_t, unw_cursor_t*, void*) { return -UNW_EINVAL; }
int ProcName(unw_addr_space_t, unw_word_t, char*, size_t, unw_word_t*, void*) { return -UNW_ENOINFO; }

unw_accessors_t accessors = {
    .find_proc_info = FindProcInfo,
    .put_unwind_info = PutUnwindInfo,
    .get_dyn_info_list_addr = NoDynamicList,
    .access_mem = AccessMemory,
    .access_reg = AccessRegister,
    .access_fpreg = AccessFloat,
    .resume = Resume,
    .get_proc_name = ProcName,
};

// ---- Learning ----

bool FitsBpOffset(intptr_t offset) { return offset >= INT16_MIN && offset <= INT16_MAX; }

// Reads the rule off what libunwind made of the made-up values; kUnusual if it is none of ours.
FrameRule RuleOf(unw_cursor_t* cursor, const MadeUpView& view) {
  constexpr FrameRule kUnusual = {FrameRule::kUnusual, FrameRule::kBpKept, 0, 0};
  unw_word_t cfa;
  unw_word_t caller;
  if (get_register(cursor, UNW_REG_SP, &cfa) < 0 || get_register(cursor, UNW_REG_IP, &caller) < 0) return kUnusual;
  FrameRule rule = kUnusual;
  if (IsNear(cfa, kMadeUpSp)) {
    rule.kind = FrameRule::kFromSp;
    rule.cfa_offset = static_cast<int32_t>(cfa - kMadeUpSp);
  } else if (IsNear(cfa, kMadeUpBp)) {
    rule.kind = FrameRule::kFromBp;
    rule.cfa_offset = static_cast<int32_t>(cfa - kMadeUpBp);
  }
  bool caller_read = false;
  for (uint32_t i = 0; i < view.reads; ++i) {
    if (cfa == MadeUpView::WordAt(i) && IsNear(view.addresses[i], kMadeUpBp)) {
      rule.kind = FrameRule::kBehindBp;
      rule.cfa_offset = static_cast<int32_t>(view.addresses[i] - kMadeUpBp);
    }
    caller_read = caller_read || (caller == MadeUpView::WordAt(i) && view.addresses[i] == cfa - sizeof(uintptr_t));
  }
  if (rule.kind == FrameRule::kUnusual || !caller_read) return kUnusual;
  unw_save_loc_t saved;
  if (get_save_location(cursor, UNW_X86_64_RBP, &saved) < 0) return kUnusual;
  if (saved.type == UNW_SLT_MEMORY) {
    const intptr_t from_cfa = static_cast<intptr_t>(saved.u.addr - cfa);
    const intptr_t from_bp = static_cast<intptr_t>(saved.u.addr - kMadeUpBp);
    const bool at_cfa = FitsBpOffset(from_cfa);
    if (!at_cfa && !FitsBpOffset(from_bp)) return kUnusual;
    rule.bp_place = at_cfa ? FrameRule::kBpAtCfa : FrameRule::kBpAtBp;
    rule.bp_offset = static_cast<int16_t>(at_cfa ? from_cfa : from_bp);
  } else if (saved.type != UNW_SLT_REG || saved.u.regnum != UNW_X86_64_RBP) {
    return kUnusual;
  }
  return rule;
}

struct Lesson {
  uintptr_t return_address;
  FrameRule rule;
};

void Learn(void* argument) {
  Lesson* lesson = static_cast<Lesson*>(argument);
  MadeUpView view;
  for (uint32_t i = 0; i < kRegisters; ++i) view.registers[i] = kMadeUpRegister + (uintptr_t{i} << 32);
  view.registers[UNW_X86_64_RSP] = kMadeUpSp;
  view.registers[UNW_X86_64_RBP] = kMadeUpBp;
  // The call itself, not what comes after it: behind a call that never returns another function begins.
  view.registers[UNW_X86_64_RIP] = lesson->return_address - 1;
  view.read_stack = ReadMadeUpStack;
  unw_cursor_t cursor;
  lesson->rule = {FrameRule::kUnusual, FrameRule::kBpKept, 0, 0};
  if (init_remote(&cursor, space, static_cast<View*>(&view)) < 0) return;
  const int result = step(&cursor);
  if (!view.found) {
    lesson->rule.kind = FrameRule::kNoRule;  // what libunwind guesses without is not asked
  } else if (result == 0) {
    lesson->rule.kind = FrameRule::kOutermost;
  } else if (result > 0) {
    lesson->rule = RuleOf(&cursor, view);
  }
}

// ---- Whole stacks ----

struct Stretch {
  RealView view;
  uintptr_t first_sp;
  uintptr_t* frames;
  uint32_t limit;
  UnwoundStack result;
};

void Unwind(void* argument) {
  Stretch* stretch = static_cast<Stretch*>(argument);
  UnwoundStack& result = stretch->result;
  unw_cursor_t cursor;
  if (init_remote(&cursor, space, static_cast<View*>(&stretch->view)) < 0) return;
  for (;;) {
    unw_word_t pc;
    unw_word_t sp;
    if (get_register(&cursor, UNW_REG_IP, &pc) < 0 || get_register(&cursor, UNW_REG_SP, &sp) < 0) return;
    if (pc == 0) {
      result.whole = true;
      return;
    }
    if (result.depth != 0 || sp == stretch->first_sp || (sp > stretch->first_sp && stretch->view.bounds.high > sp)) {
      if (result.depth == stretch->limit) return;
      stretch->frames[result.depth++] = pc;
    }
    stretch->view.found = false;
    const int stepped = step(&cursor);
    if (!stretch->view.found || stepped <= 0) {
      result.whole = (stretch->view.found && stepped == 0) || sp == InitialStackPointer();
      return;
    }
  }
}

// With signals blocked: runs unless a fork is under way.
bool Run(void (*function)(void*), void* argument) {
  if (space == nullptr) return false;
  unwinding.fetch_add(1, std::memory_order_seq_cst);
  const InUnwinder inside;
  const bool ran = forks.load(std::memory_order_seq_cst) == 0 && RunOnSpareStack(function, argument);
  unwinding.fetch_sub(1, std::memory_order_release);
  return ran;
}

template <typename Symbol>
bool Bind(void* library, const char* name, Symbol* symbol) {
  *symbol = reinterpret_cast<Symbol>(dlsym(library, name));
  return *symbol != nullptr;
}

}  // namespace

bool LoadUnwinder() {
  const SignalsBlocked blocked;
  const InUnwinder inside;
  // Local, so that libunwind's _Unwind_* functions do not take the place of libgcc's in the program.
  void* library = dlopen("libunwind-x86_64.so.8", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return false;
#define MALLOCSPY_TEXT_OF(name) #name
#define MALLOCSPY_BIND(function, name) Bind(library, MALLOCSPY_TEXT_OF(name), &function)  // by the name behind the macro
  const bool bound = MALLOCSPY_BIND(create_space, unw_create_addr_space) && MALLOCSPY_BIND(init_remote, unw_init_remote) &&
                     MALLOCSPY_BIND(step, unw_step) && MALLOCSPY_BIND(get_register, unw_get_reg) &&
                     MALLOCSPY_BIND(get_save_location, unw_get_save_loc) &&
                     MALLOCSPY_BIND(set_caching_policy, unw_set_caching_policy) &&
                     MALLOCSPY_BIND(search_table, _Ux86_64_dwarf_search_unwind_table);
#undef MALLOCSPY_BIND
#undef MALLOCSPY_TEXT_OF
  if (!bound) return false;
  unw_addr_space_t made = create_space(&accessors, 0);
  if (made == nullptr) return false;
  set_caching_policy(made, UNW_CACHE_NONE);  // what it remembers would go stale, and its cache has a lock
  space = made;
  // The first question sets libunwind up; better here than in the program's first allocation.
  LearnRule(reinterpret_cast<uintptr_t>(__builtin_return_address(0)));
  return true;
}

FrameRule LearnRule(uintptr_t return_address) {
  Lesson lesson = {return_address, {}};
  return Run(Learn, &lesson) ? lesson.rule : FrameRule{};
}

UnwoundStack UnwindStack(uintptr_t* frames, uint32_t limit, uintptr_t first_sp, StackBounds bounds) {
  Stretch stretch = {};
  stretch.view.read_stack = ReadRealStack;
  stretch.view.bounds = bounds;
  stretch.first_sp = first_sp;
  stretch.frames = frames;
  stretch.limit = limit;
  uintptr_t* r = stretch.view.registers;
  // Only what a call preserves is ever asked for.
  asm volatile(
      "mov %%rbx, %0\n\t"
      "mov %%rbp, %1\n\t"
      "mov %%rsp, %2\n\t"
      "mov %%r12, %3\n\t"
      "mov %%r13, %4\n\t"
      "mov %%r14, %5\n\t"
      "mov %%r15, %6\n\t"
      : "=m"(r[UNW_X86_64_RBX]), "=m"(r[UNW_X86_64_RBP]), "=m"(r[UNW_X86_64_RSP]), "=m"(r[UNW_X86_64_R12]),
        "=m"(r[UNW_X86_64_R13]), "=m"(r[UNW_X86_64_R14]), "=m"(r[UNW_X86_64_R15]));
  asm volatile("lea 0(%%rip), %0" : "=r"(r[UNW_X86_64_RIP]));
  const SignalsBlocked blocked;
  return Run(Unwind, &stretch) ? stretch.result : UnwoundStack{0, false};
}

UnwoundStack UnwindInterrupted(uintptr_t* frames, uint32_t limit, const ucontext_t& context, StackBounds bounds) {
  static constexpr struct {
    int number;    // libunwind's
    int register_;  // the kernel's
  } kRegisters[] = {{UNW_X86_64_RAX, REG_RAX}, {UNW_X86_64_RDX, REG_RDX}, {UNW_X86_64_RCX, REG_RCX}, {UNW_X86_64_RBX, REG_RBX},
                    {UNW_X86_64_RSI, REG_RSI}, {UNW_X86_64_RDI, REG_RDI}, {UNW_X86_64_RBP, REG_RBP}, {UNW_X86_64_RSP, REG_RSP},
                    {UNW_X86_64_R8, REG_R8},   {UNW_X86_64_R9, REG_R9},   {UNW_X86_64_R10, REG_R10}, {UNW_X86_64_R11, REG_R11},
                    {UNW_X86_64_R12, REG_R12}, {UNW_X86_64_R13, REG_R13}, {UNW_X86_64_R14, REG_R14}, {UNW_X86_64_R15, REG_R15},
                    {UNW_X86_64_RIP, REG_RIP}};
  Stretch stretch = {};
  stretch.view.read_stack = ReadRealStack;
  stretch.view.bounds = bounds;
  stretch.frames = frames;
  stretch.limit = limit;
  uintptr_t* r = stretch.view.registers;
  for (const auto& name : kRegisters) r[name.number] = static_cast<uintptr_t>(context.uc_mcontext.gregs[name.register_]);
  uintptr_t& sp = r[UNW_X86_64_RSP];
  constexpr uintptr_t kNullCalls = 4096;
  if (r[UNW_X86_64_RIP] < kNullCalls && sp >= bounds.low && sp < bounds.high) {
    r[UNW_X86_64_RIP] = *reinterpret_cast<const uintptr_t*>(sp);
    sp += sizeof(uintptr_t);
  } else {
    ++r[UNW_X86_64_RIP];  // libunwind looks up what lies before a return address
  }
  stretch.first_sp = sp;
  const SignalsBlocked blocked;
  return Run(Unwind, &stretch) ? stretch.result : UnwoundStack{0, false};
}

bool IsInUnwinder() { return in_unwinder; }

void BeginFork(uint32_t limit_ms) {
  forks.fetch_add(1, std::memory_order_seq_cst);
  for (uint32_t waited_us = 0; unwinding.load(std::memory_order_seq_cst) != 0 && waited_us < limit_ms * 1000;
       waited_us += 100) {
    const timespec pause = {0, 100000};
    RawSyscall(SYS_nanosleep, &pause, nullptr);
  }
}

void EndFork() { forks.fetch_sub(1, std::memory_order_release); }

void ResetUnwinderAfterFork() {
  forks.store(0, std::memory_order_relaxed);
  unwinding.store(0, std::memory_order_relaxed);
  ResetSpareStacksAfterFork();
}

}  // namespace mallocspy
