#include "allocator/snapshot/reporter.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "allocator/ledger/ledger.h"
#include "allocator/ledger/thread_counters.h"
#include "allocator/system/decimal.h"
#include "allocator/system/initial_stack.h"
#include "allocator/system/os_memory.h"
#include "allocator/system/raw_log.h"
#include "allocator/system/raw_syscall.h"

namespace mallocspy {
namespace {

using ledger::g_ledger;
using ledger::TableId;

constexpr size_t kPathBytes = 4096;
constexpr size_t kChildStackBytes = 64 * 1024;
constexpr size_t kMaxEnvironment = 8192;
constexpr size_t kMaxArguments = 64;
constexpr uint64_t kAllSignals = ~uint64_t{0};
constexpr int kPlainStacks = 20;
constexpr int kCannotExec = 127;

constinit char tool_path[kPathBytes] = {};
constinit const char* named_tool = nullptr;  // in MALLOCSPY_TOOL, but no program
constinit int tool_status = 0;               // as waitpid() gives it, of a command that made no report

bool IsProgram(const char* path) { return !RawFailed(RawSyscall(SYS_faccessat, AT_FDCWD, path, X_OK)); }

// `directory` (of `length` bytes) and `name` joined, if that is a program.
bool TryTool(const char* directory, size_t length, const char* name) {
  if (length + std::strlen(name) + 1 > kPathBytes) return false;
  std::memcpy(tool_path, directory, length);
  std::strcpy(tool_path + length, name);
  if (IsProgram(tool_path)) return true;
  tool_path[0] = '\0';
  return false;
}

bool IsOurs(const char* entry) {
  return std::strncmp(entry, "LD_PRELOAD=", 11) == 0 || std::strncmp(entry, "MALLOCSPY_", 10) == 0;
}

struct Spawn {
  char* arguments[kMaxArguments];
  char* environment[kMaxEnvironment];
  char file[64];
  int snapshot;
  int output;  // where its standard output and error go; -1: where the process's go
};

// "/proc/self/fd/N"
void NameDescriptor(int fd, char* name) {
  std::strcpy(name, "/proc/self/fd/");
  *AppendDecimal(name + std::strlen(name), static_cast<uint64_t>(fd)) = '\0';
}

// tool report ARGUMENT... FILE
bool FillArguments(const char* const* arguments, Spawn* spawn) {
  static char command[] = "report";
  size_t count = 0;
  spawn->arguments[count++] = tool_path;
  spawn->arguments[count++] = command;
  for (; arguments != nullptr && *arguments != nullptr; ++arguments) {
    if (count + 2 >= kMaxArguments) return false;
    spawn->arguments[count++] = const_cast<char*>(*arguments);
  }
  spawn->arguments[count] = spawn->file;
  return true;
}

// Shares the process's memory, but not its descriptors.
int ExecTool(void* context) {
  Spawn* spawn = static_cast<Spawn*>(context);
  RawSyscall(SYS_fcntl, spawn->snapshot, F_SETFD, 0);
  if (spawn->output >= 0 && spawn->output != STDOUT_FILENO) RawSyscall(SYS_dup2, spawn->output, STDOUT_FILENO);
  if (spawn->output >= 0 && spawn->output != STDERR_FILENO) RawSyscall(SYS_dup2, spawn->output, STDERR_FILENO);
  const uint64_t none = 0;
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof(none));
  RawSyscall(SYS_execve, spawn->arguments[0], spawn->arguments, spawn->environment);
  RawSyscall(SYS_exit, kCannotExec);
  return kCannotExec;
}

void PrintFrame(uint32_t number, uint64_t site) {
  const uint32_t index = static_cast<uint32_t>(site >> ledger::kSiteModuleShift);
  const uint64_t offset = site & ledger::kSiteOffsetMask;
  RawLine line(2);
  line.Text("    #").Number(number).Text(" ");
  if (index == 0) {
    line.Hex(offset).End();
    return;
  }
  const ledger::Module* module = g_ledger.At<ledger::Module>(TableId::kModules, index);
  line.Hex(module->bias + offset).Text(" (");
  if (module->path.length != 0) line.Text(g_ledger.At<char>(TableId::kStrings, module->path.offset), module->path.length);
  line.Text("+").Hex(offset).Text(")").End();
}

uint64_t LiveBlocks(const ledger::Stack* stack) {
  return stack->shared.allocations.load(std::memory_order_relaxed) - stack->shared.frees.load(std::memory_order_relaxed);
}

uint64_t LiveBytes(const ledger::Stack* stack) {
  return stack->shared.allocated_bytes.load(std::memory_order_relaxed) - stack->shared.freed_bytes.load(std::memory_order_relaxed);
}

void PrintStack(const ledger::Stack* stack) {
  RawLine(2).Text("Direct leak of ").Number(LiveBytes(stack)).Text(" byte(s) in ").Number(LiveBlocks(stack))
      .Text(" object(s) allocated from:").End();
  uint32_t number = 0;
  for (uint32_t node = stack->node; node != 0;) {
    const ledger::Node* frame = g_ledger.At<ledger::Node>(TableId::kNodes, node);
    PrintFrame(number++, frame->site);
    node = frame->parent;
  }
}

void SayToolFailed() {
  RawLine line(2);
  line.Text("mallocspy: ").Text(tool_path, std::strlen(tool_path));
  if (WIFSIGNALED(tool_status)) {
    line.Text(" was killed by signal ").Number(static_cast<uint64_t>(WTERMSIG(tool_status)));
  } else if (WEXITSTATUS(tool_status) == kCannotExec) {
    line.Text(" could not be executed");
  } else {
    const int status = WEXITSTATUS(tool_status);
    line.Text(" ended with status ").Number(static_cast<uint64_t>(status)).Text(" instead of a report");
  }
  line.Text(", so nothing has names; MALLOCSPY_TOOL must name a `mallocspy` command that works").End();
}

}  // namespace

void FindReportTool() {
  if (!IsSecureExecution()) {
    if (const char* named = InitialEnvironment("MALLOCSPY_TOOL"); named != nullptr && named[0] != '\0') {
      if (!TryTool("", 0, named)) named_tool = named;
      return;
    }
  }
  for (uint32_t i = 1, count = g_ledger.Count(TableId::kModules); i < count; ++i) {
    const ledger::Module* module = g_ledger.At<ledger::Module>(TableId::kModules, i);
    if ((module->flags & ledger::kModuleSelf) == 0 || module->path.length == 0) continue;
    const char* path = g_ledger.At<char>(TableId::kStrings, module->path.offset);
    size_t directory = module->path.length;
    while (directory > 0 && path[directory - 1] != '/') --directory;
    TryTool(path, directory, "../bin/mallocspy") || TryTool(path, directory, "../../bin/mallocspy") ||
        TryTool(path, directory, "mallocspy");
    return;
  }
}

int RunReport(int fd, const char* const* arguments, int output, int* wait_status) {
  if (tool_path[0] == '\0') return -ENOENT;
  Spawn* spawn = static_cast<Spawn*>(MapPrivate(sizeof(Spawn)));
  char* stack = static_cast<char*>(MapPrivate(kChildStackBytes));
  int result = -ENOMEM;
  if (spawn != nullptr && stack != nullptr) {
    spawn->snapshot = fd;
    spawn->output = output;
    NameDescriptor(fd, spawn->file);
    result = FillArguments(arguments, spawn) ? 0 : -E2BIG;
    size_t kept = 0;
    for (char** entry = environ; entry != nullptr && *entry != nullptr && kept + 1 < kMaxEnvironment; ++entry) {
      if (!IsOurs(*entry)) spawn->environment[kept++] = *entry;
    }
  }
  if (result == 0) {
    // No signal may run a handler of the program meanwhile; the tool gets an empty mask of its own.
    uint64_t mask;
    RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &kAllSignals, &mask, sizeof(mask));
    const int pid = clone(ExecTool, stack + kChildStackBytes, CLONE_VM | CLONE_VFORK, spawn);
    long waited = -EINTR;
    while (pid > 0 && waited == -EINTR) waited = RawSyscall(SYS_wait4, pid, wait_status, __WALL, nullptr);
    RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof(mask));
    if (pid <= 0) result = -EAGAIN;
    // Who ignores SIGCHLD gets no status: the kernel says ECHILD once the tool is gone.
    if (pid > 0 && waited != pid) result = -ECHILD;
  }
  if (spawn != nullptr) Unmap(spawn, sizeof(Spawn));
  if (stack != nullptr) Unmap(stack, kChildStackBytes);
  return result;
}

bool HasReported(int status) {
  if (!WIFEXITED(status)) return false;
  const int code = WEXITSTATUS(status);
  return code == 0 || (code >= 23 && code <= 25);
}

bool SpawnReport(int fd) {
  int status = kCannotExec << 8;
  const int failure = RunReport(fd, nullptr, -1, &status);
  if (failure == -ECHILD || (failure == 0 && HasReported(status))) return true;
  if (failure != -ENOENT) tool_status = status;
  return false;
}

void PrintPlainReport() {
  if (tool_status != 0) SayToolFailed();
  uint64_t bytes = 0;
  uint64_t blocks = 0;
  ledger::FoldBanks();
  const uint32_t count = g_ledger.Count(TableId::kStacks);
  for (uint32_t i = 0; i < count; ++i) {
    const ledger::Stack* stack = g_ledger.At<ledger::Stack>(TableId::kStacks, i);
    bytes += LiveBytes(stack);
    blocks += LiveBlocks(stack);
  }
  const uint32_t error_records = g_ledger.Count(TableId::kErrors);
  const uint64_t errors = error_records != 0 ? error_records - 1 : 0;
  if (blocks == 0 && errors == 0) {
    RawLine(2).Text("mallocspy: clean: no block is live and no error was met").End();
    return;
  }
  RawLine(2).Text("==").Number(g_ledger.header().pid).Text("==ERROR: mallocspy: ").Number(blocks)
      .Text(" block(s) live at the end, ").Number(errors).Text(" kind(s) of heap error").End();
  if (named_tool != nullptr) {
    RawLine(2).Text("mallocspy: MALLOCSPY_TOOL is ").Text(named_tool, std::strlen(named_tool))
        .Text(", which is no program, so nothing has names; set it to the path of the `mallocspy` command").End();
  } else if (tool_path[0] == '\0') {
    RawLine(2).Text("mallocspy: the `mallocspy` command was not found beside the library, so nothing has names;"
                    " set MALLOCSPY_TOOL to its path").End();
  }
  // Largest first, then by number: each pass takes the next one in that order.
  uint64_t last_bytes = UINT64_MAX;
  uint32_t last = 0;
  for (int printed = 0; printed < kPlainStacks; ++printed) {
    uint64_t best_bytes = 0;
    uint32_t best = count;
    for (uint32_t i = 0; i < count; ++i) {
      const ledger::Stack* stack = g_ledger.At<ledger::Stack>(TableId::kStacks, i);
      // Blocks whose header was destroyed were freed as the unknown stack's, which has more frees than allocations then.
      if (static_cast<int64_t>(LiveBlocks(stack)) <= 0) continue;
      const uint64_t live = LiveBytes(stack);
      const bool after_last = live < last_bytes || (live == last_bytes && i > last);
      if (after_last && (best == count || live > best_bytes)) {
        best = i;
        best_bytes = live;
      }
    }
    if (best == count) break;
    PrintStack(g_ledger.At<ledger::Stack>(TableId::kStacks, best));
    last = best;
    last_bytes = best_bytes;
  }
  RawLine(2).Text("SUMMARY: mallocspy: ").Number(bytes).Text(" byte(s) leaked in ").Number(blocks).Text(" allocation(s).")
      .End();
}

}  // namespace mallocspy
