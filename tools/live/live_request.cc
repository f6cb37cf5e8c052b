#include "tools/live/live_request.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tools/live/process_files.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

using ledger::RequestSlot;

constexpr absl::Duration kTakenWithin = absl::Seconds(10);
constexpr absl::Duration kDoneWithin = absl::Seconds(120);
constexpr absl::Duration kAgain = absl::Milliseconds(2);

// Until the word changes, or for a moment.
void AwaitChange(std::atomic<uint32_t>* word, uint32_t from, absl::Duration longest) {
  const timespec limit = absl::ToTimespec(longest);
  syscall(SYS_futex, word, FUTEX_WAIT, from, &limit, nullptr, 0);
}

bool IsThere(uint32_t pid) { return kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM; }

// False while somebody else has it. Who was killed in the middle leaves it to us: at once, or when the process has done what was asked.
bool TakeSlot(RequestSlot* slot, uint32_t self) {
  const absl::Time deadline = absl::Now() + kTakenWithin;
  for (;;) {
    uint32_t state = RequestSlot::kIdle;
    if (slot->state.compare_exchange_strong(state, RequestSlot::kFilling, std::memory_order_acquire)) return true;
    uint32_t asker = slot->asker.load(std::memory_order_relaxed);
    if (asker != 0 && asker != self && IsThere(asker)) return false;
    const bool at_work = state == RequestSlot::kTaken && absl::Now() < deadline;
    if (!at_work && slot->asker.compare_exchange_strong(asker, self, std::memory_order_acq_rel)) {
      slot->state.store(RequestSlot::kFilling, std::memory_order_release);
      return true;
    }
    absl::SleepFor(kAgain);
  }
}

}  // namespace

LiveRequest::LiveRequest(uint32_t pid, int pid_descriptor, void* map)
    : pid_(pid), pid_descriptor_(pid_descriptor), map_(map), slot_(&static_cast<ledger::Header*>(map)->request) {}

LiveRequest::~LiveRequest() {
  slot_->asker.store(0, std::memory_order_relaxed);
  slot_->state.store(RequestSlot::kIdle, std::memory_order_release);
  munmap(map_, ledger::kPageBytes);
  if (pid_descriptor_ >= 0) close(pid_descriptor_);
}

std::string LiveRequest::ProcessText() const { return absl::StrCat("process ", pid_, " (", Escaped(ProcessName(pid_)), ")"); }

absl::StatusOr<std::unique_ptr<LiveRequest>> LiveRequest::Make(const LiveProcess& process) {
  // Before the ledger is looked at again, so that both are of the same process.
  const int pid_descriptor = static_cast<int>(syscall(SYS_pidfd_open, process.pid(), 0));
  const auto fail = [&](const absl::Status& status) {
    if (pid_descriptor >= 0) close(pid_descriptor);
    return status;
  };
  const absl::StatusOr<std::string> ledger = FindLedger(process.pid());
  if (!ledger.ok()) return fail(ledger.status());
  const int file = open(ledger->c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return fail(ProcessError(process.pid(), errno));
  void* map = mmap(nullptr, ledger::kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (map == MAP_FAILED) return fail(ProcessError(process.pid(), errno));
  ledger::Header* header = static_cast<ledger::Header*>(map);
  const auto refuse = [&](const std::string& sentence) {
    munmap(map, ledger::kPageBytes);
    return fail(absl::FailedPreconditionError(sentence));
  };
  const std::string text = absl::StrCat("process ", process.pid(), " (", Escaped(ProcessName(process.pid())), ")");
  if (header->magic != ledger::kMagic || header->version != ledger::kVersion) {
    return refuse(absl::StrCat(text, " runs with another version of libmallocspy.so: use the mallocspy command that belongs to it"));
  }
  const uint32_t signal = header->request.signal.load(std::memory_order_acquire);
  if (signal == 0) return refuse(absl::StrCat(text, " takes no requests: it uses all real-time signals itself, or is just starting"));
  // Else the signal would be deadly.
  if (!CatchesSignal(process.pid(), signal)) {
    return refuse(absl::StrCat(text, " does not listen to signal ", signal, " any more: it is about to end, or to become another program"));
  }
  RequestSlot& slot = header->request;
  const auto self = static_cast<uint32_t>(getpid());
  if (!TakeSlot(&slot, self)) return refuse(absl::StrCat(text, " is being asked by somebody else just now: try again"));
  slot.asker.store(self, std::memory_order_relaxed);
  return std::unique_ptr<LiveRequest>(new LiveRequest(process.pid(), pid_descriptor, map));
}

absl::Status LiveRequest::Signal() {
  siginfo_t info = {};
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_int = RequestSlot::kCookie;
  const int signal = static_cast<int>(slot_->signal.load(std::memory_order_acquire));
  info.si_signo = signal;
  const long sent = pid_descriptor_ >= 0 ? syscall(SYS_pidfd_send_signal, pid_descriptor_, signal, &info, 0)
                                         : syscall(SYS_rt_sigqueueinfo, pid_, signal, &info);
  if (sent != 0 && errno != EAGAIN) return ProcessError(pid_, errno);
  return absl::OkStatus();
}

bool LiveRequest::CopyIsGone() const {
  if (copy() == 0) return false;
  const std::optional<uint32_t> outside = PidOutside(pid_, copy());
  return !outside.has_value() || !IsRunning(*outside);
}

absl::Status LiveRequest::Failed(uint32_t error) const {
  switch (error) {
    case ENODATA:
      return absl::FailedPreconditionError(absl::StrCat(ProcessText(), " has no record any more: it is ending"));
    case ENOSYS:
      return absl::FailedPreconditionError(absl::StrCat(ProcessText(), " has a malloc of its own: what it makes is not recorded"));
    case EAGAIN:
      return absl::UnavailableError(
          absl::StrCat(ProcessText(), " could not be copied: its threads cannot be signalled, or a limit or a filter of system calls forbids it"));
    case EMFILE:
      return absl::UnavailableError(absl::StrCat("the copy of ", ProcessText(), " has no pipe to write into"));
    default:
      return absl::UnavailableError(absl::StrCat(ProcessText(), " refused: ", std::strerror(static_cast<int>(error))));
  }
}

absl::Status LiveRequest::Ask(RequestSlot::Kind kind, const std::string& name, DumpContent content) {
  slot_->kind = kind;
  slot_->error.store(0, std::memory_order_relaxed);
  slot_->copy.store(0, std::memory_order_relaxed);
  slot_->pause_us.store(0, std::memory_order_relaxed);
  slot_->graph = content.graph ? 1 : 0;
  slot_->contents = content.bytes;
  slot_->number = 0;
  std::memset(slot_->name, 0, sizeof(slot_->name));
  std::memcpy(slot_->name, name.data(), std::min(name.size(), sizeof(slot_->name) - 1));
  slot_->state.store(RequestSlot::kAsked, std::memory_order_release);
  const absl::Time asked = absl::Now();
  for (absl::Time next = asked;;) {
    const uint32_t state = slot_->state.load(std::memory_order_acquire);
    if (state == RequestSlot::kDone) {
      const uint32_t error = slot_->error.load(std::memory_order_relaxed);
      return error == 0 ? absl::OkStatus() : Failed(error);
    }
    const absl::Time now = absl::Now();
    if (!IsThere(pid_)) return absl::NotFoundError(absl::StrCat("process ", pid_, " ended before it answered"));
    if (state == RequestSlot::kAsked) {
      if (now - asked > kTakenWithin) {
        return absl::DeadlineExceededError(absl::StrCat(ProcessText(), " did not answer within ", absl::FormatDuration(kTakenWithin),
                                                        ": all its threads block the signal, or it is stopped"));
      }
      if (now >= next) {
        if (const absl::Status sent = Signal(); !sent.ok()) return sent;
        next = now + kAgain;
      }
    } else if (kind == RequestSlot::kDump && CopyIsGone() && slot_->state.load(std::memory_order_acquire) != RequestSlot::kDone) {
      return absl::UnavailableError(absl::StrCat("the copy of ", ProcessText(), " came to nothing: was it killed, for want of memory perhaps?"));
    } else if (now - asked > kDoneWithin) {
      return absl::DeadlineExceededError(absl::StrCat(ProcessText(), " did not finish within ", absl::FormatDuration(kDoneWithin)));
    }
    AwaitChange(&slot_->state, state, state == RequestSlot::kAsked ? kAgain : absl::Milliseconds(50));
  }
}

void LiveRequest::AwaitProcess() const {
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (slot_->pause_us.load(std::memory_order_acquire) == 0 && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(1));
}

absl::Duration LiveRequest::Pause() const {
  return absl::Microseconds(slot_->pause_us.load(std::memory_order_acquire));
}

}  // namespace mallocspy
