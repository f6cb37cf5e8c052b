#include "allocator/process.h"

#include <fcntl.h>

#include <atomic>
#include <cstring>

#include "allocator/block_header.h"
#include "allocator/capture/call_site_table.h"
#include "allocator/capture/unwinder.h"
#include "allocator/ceiling.h"
#include "allocator/ledger/handover_table.h"
#include "allocator/ledger/ledger.h"
#include "allocator/page_guard.h"
#include "allocator/quarantine.h"
#include "allocator/reference_table.h"
#include "allocator/run_notes.h"
#include "allocator/system/clock.h"
#include "allocator/system/file_size_limit.h"
#include "allocator/system/initial_stack.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/raw_log.h"
#include "allocator/system/raw_syscall.h"
#include "allocator/thread_state.h"
#include "spy/spy_chain.h"

// A program that links the library may define it to choose options that MALLOCSPY_OPTIONS then overrides.
extern "C" __attribute__((weak)) const char* mallocspy_default_options(void);

namespace mallocspy {

constinit Settings g_settings;

namespace {

using ledger::g_ledger;

constexpr uint64_t kStartBytes = uint64_t{1} << 20;  // more than a record takes at its start

constinit Options options;
constinit const char* run_directory = nullptr;
constinit bool started = false;        // not wiped by fork: tells a forked child from a fresh process
constinit std::atomic<bool> starting{false};
constinit bool reported = true;

uint32_t Pid() { return static_cast<uint32_t>(RawSyscall(SYS_getpid)); }

void SayProblem(const OptionProblem& problem, void*) {
  RawLine(2)
      .Text("mallocspy: MALLOCSPY_OPTIONS: \"")
      .Text(problem.item.data, problem.item.size)
      .Text("\" ")
      .Text(problem.reason)
      .Text("; it is ignored (`mallocspy help options` lists them)")
      .End();
}

// A copy of a variable of the initial environment; null if it is not set. What the kernel laid down there may be written over: by
// setproctitle() and its like, to whoever looks at the process.
const char* CopyOfVariable(const char* name) {
  const char* value = InitialEnvironment(name);
  if (value == nullptr) return nullptr;
  const size_t bytes = std::strlen(value) + 1;
  void* copy = MapPrivate(bytes);
  if (copy != nullptr) std::memcpy(copy, value, bytes);
  return static_cast<const char*>(copy);
}

void ReadOptions() {
  if (mallocspy_default_options != nullptr) {
    if (const char* text = mallocspy_default_options(); text != nullptr) {
      ParseOptions(text, std::strlen(text), &options, SayProblem, nullptr);
    }
  }
  if (IsSecureExecution()) {  // the environment is the caller's, the rights are not: nothing is read from it or printed
    options.report = {"none", 4};
    options.keep = {"", 0};
    return;
  }
  if (const char* text = CopyOfVariable("MALLOCSPY_OPTIONS"); text != nullptr) {
    ParseOptions(text, std::strlen(text), &options, SayProblem, nullptr);
  }
  run_directory = CopyOfVariable("MALLOCSPY_RUN");
  if (run_directory != nullptr && run_directory[0] != '/') run_directory = nullptr;
}

void Describe() {
  ledger::Header& header = g_ledger.header();
  char path[4096];
  const long length = RawSyscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", path, sizeof(path));
  const char* arguments;
  uint32_t argument_bytes;
  InitialArguments(&arguments, &argument_bytes);
  const char* text = IsSecureExecution() ? nullptr : InitialEnvironment("MALLOCSPY_OPTIONS");
  FutexLockHolder hold(g_ledger.lock());
  if (!RawFailed(length)) header.exe = g_ledger.AddString(path, static_cast<size_t>(length));
  header.cmdline = g_ledger.AddString(arguments, argument_bytes);
  if (text != nullptr) header.options = g_ledger.AddString(text, std::strlen(text));
  header.parent_pid = static_cast<uint32_t>(RawSyscall(SYS_getppid));
  header.guard = options.guard ? 1 : 0;
  header.started_ns = RealtimeNs();
}

void StartProcess() {
  ReadOptions();
  g_settings.records_all = options.record.Is("all");
  g_settings.guards = options.guard;
  g_settings.checks_captures = options.check_capture != 0;
  g_settings.notes_handovers = options.ownership;
  g_settings.keeps_freed = g_quarantine.Start(options.quarantine_mb << 20);
  g_settings.fills = options.fill || g_settings.keeps_freed;
  g_settings.check_every = options.check_every;
  g_settings.has_ceiling = g_ceiling.Set(options.max_bytes, options.max_blocks);
  const bool watches_both = g_settings.fills || options.check_every != 0 || g_settings.has_ceiling;
  g_settings.watches_allocations = g_settings.checks_captures || watches_both || options.page_guard == 1;
  g_settings.watches_frees = g_settings.notes_handovers || watches_both;
  g_settings.samples_allocations = options.page_guard > 1;
  g_settings.guards_pages = options.page_guard != 0;
  SetHeaderCookie(ProcessCookie());
  const bool memory = g_ledger.Create(run_directory, Pid(), !IsSecureExecution());
  if (!memory) {
    RawLine(2).Text("mallocspy: no memory for the record at the start of the program; it stops here").End();
    RawSyscall(SYS_exit_group, 25);
  }
  if (run_directory != nullptr && !g_ledger.memory().named()) {
    NoteUnrecorded(FileSizeLimit() < kStartBytes
                       ? "the file size limit (ulimit -f) is too small for a record; raise it"
                       : "there is no room for it; set XDG_RUNTIME_DIR or TMPDIR to a directory that has some");
  }
  Describe();
  if (g_settings.guards_pages) g_page_guard.Start(options);
  StartThreads(static_cast<uint32_t>(options.stack_depth));
  started = true;
}

// False if there is no memory for a record of this process's own; what it does is nobody's to see then.
bool AdoptProcess() {
  ledger::Header& parent = g_ledger.header();
  reported = options.follow.Is("all");
  const bool own = g_ledger.Adopt(reported ? run_directory : nullptr, Pid(), reported && run_directory == nullptr && !IsSecureExecution());
  if (reported && !own) parent.unfollowed_forks.fetch_add(1, std::memory_order_relaxed);
  ResetUnwinderAfterFork();
  g_call_sites.AdoptAfterFork();
  if (g_settings.notes_handovers) ledger::ForgetHandovers();
  if (g_settings.keeps_freed) g_quarantine.lock().Reset();
  g_references.lock().Reset();
  spy_chain.ResetLockAfterFork();
  const bool recorded = IsRecordedProcess();
  AdoptThreadsAfterFork(recorded);
  if (!recorded) return false;
  ledger::Header& header = g_ledger.header();
  if (g_settings.fork_goes_on) {
    g_settings.fork_goes_on = false;
  } else {
    if (g_settings.mark == UINT16_MAX) {
      g_ledger.SetDegraded(ledger::kMarksExhausted);
    } else {
      ++g_settings.mark;
    }
    g_settings.base_mark = g_settings.mark;
  }
  header.base_mark = g_settings.base_mark;
  header.parent_pid = static_cast<uint32_t>(RawSyscall(SYS_getppid));
  header.started_ns = RealtimeNs();
  return true;
}

}  // namespace

bool EnsureStarted() {
  if (CurrentPhase() != Phase::kNotStarted) return true;
  if (starting.exchange(true, std::memory_order_acquire)) return false;
  bool recorded = true;
  if (started) {
    recorded = AdoptProcess();
  } else {
    StartProcess();
  }
  SetPhase(recorded ? Phase::kRunning : Phase::kOver);
  starting.store(false, std::memory_order_release);
  return true;
}

const Options& ProcessOptions() { return options; }
const char* RunDirectory() { return run_directory; }
bool IsRecordedProcess() { return Pid() == g_ledger.header().pid; }
bool IsReported() { return reported; }

}  // namespace mallocspy
