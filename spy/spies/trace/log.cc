#include "spy/spies/trace/log.h"

#include <errno.h>
#include <string.h>

namespace mallocspy::spies::trace {
namespace {

constexpr size_t kProcessBytes = 4096;
// For the line about the limit and the total.
constexpr uint64_t kReservedBytes = 256;
constexpr uint32_t kMostNames = 1000;

struct KnownThread {
  uint32_t pid;
  uint32_t tid;
};
constinit thread_local KnownThread known_thread = {};

}  // namespace

// Calls of a spy come one at a time, but the end of the process does not wait for them.
class Log::Locked {
 public:
  explicit Locked(Log& log) : process_(*log.process_) {
    // Without the kernel's help the lock may look held by a thread of the parent.
    if (!log.wiped_on_fork_ && log.IsNewProcess()) process_.locked.store(false, std::memory_order_relaxed);
    while (process_.locked.exchange(true, std::memory_order_acquire)) system::YieldThread();
  }
  ~Locked() { process_.locked.store(false, std::memory_order_release); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  Process& process_;
};

bool Log::Open(const Settings& settings) {
  settings_ = settings;
  process_ = static_cast<Process*>(system::Map(kProcessBytes));
  if (settings.buffer_bytes != 0) buffer_ = static_cast<char*>(system::Map(settings.buffer_bytes));
  if (process_ == nullptr || (settings.buffer_bytes != 0 && buffer_ == nullptr)) {
    line_.Text("mallocspy_trace: no memory for a buffer of ").Number(settings.buffer_bytes >> 10);
    line_.Text(" KiB; give a smaller buffer_kb");
    SayLine();
    return false;
  }
  wiped_on_fork_ = system::WipeOnFork(process_, kProcessBytes);
  MakeFileAbsolute();
  system::ProgramPath(program_, sizeof(program_));
  Locked locked(*this);
  return BeginProcess();
}

void Log::Record(const Call& call) {
  Locked locked(*this);
  if (IsNewProcess()) BeginProcess();
  ++calls_;
  if (fd_ < 0 || full_) return;
  line_.Clear();
  if (settings_.json) {
    FormatJson(call);
  } else {
    FormatText(call);
  }
  // With its newline.
  if (file_bytes_ + line_.size() + 1 + kReservedBytes > settings_.limit_bytes) {
    full_ = true;
    line_.Clear();
    if (settings_.json) {
      line_.Text("{\"limit_reached\":true,\"limit_bytes\":").Number(settings_.limit_bytes).Char('}');
    } else {
      line_.Text("# the limit of ").Number(settings_.limit_bytes >> 20);
      line_.Text(" MiB is reached: further calls are counted only");
    }
    AppendLine();
    Flush();
    return;
  }
  ++lines_;
  AppendLine();
  // After the total nobody may come who would write the buffer.
  if (finished_) Flush();
}

void Log::Finish() {
  // A child that recorded nothing has no file.
  if (process_ == nullptr || IsNewProcess()) return;
  Locked locked(*this);
  FinishLocked();
}

void Log::FinishLocked() {
  if (finished_ || fd_ < 0) return;
  finished_ = true;
  line_.Clear();
  if (settings_.json) {
    line_.Text("{\"end\":true,\"calls\":").Number(calls_).Text(",\"lines\":").Number(lines_).Char('}');
  } else {
    line_.Text("# ").Number(calls_).Text(" calls, ").Number(lines_).Text(" of them in lines above");
  }
  AppendLine();
  Flush();
}

// The word with the lock stays: another thread may be about to finish the log.
void Log::Close() {
  if (process_ == nullptr) return;
  Locked locked(*this);
  if (!IsNewProcess()) FinishLocked();
  if (fd_ >= 0) system::Close(fd_, file_id_);
  fd_ = -1;
  if (buffer_ != nullptr) system::Unmap(buffer_, settings_.buffer_bytes);
  buffer_ = nullptr;
}

bool Log::IsNewProcess() const {
  const uint32_t pid = process_->pid.load(std::memory_order_relaxed);
  return wiped_on_fork_ ? pid == 0 : pid != system::ProcessId();
}

bool Log::BeginProcess() {
  if (fd_ >= 0) system::Close(fd_, file_id_);
  fd_ = -1;
  calls_ = lines_ = file_bytes_ = 0;
  buffered_ = 0;
  full_ = finished_ = false;
  process_->pid.store(system::ProcessId(), std::memory_order_relaxed);
  if (!CreateFile()) return false;
  line_.Clear();
  if (settings_.json) {
    line_.Text("{\"trace\":\"mallocspy-trace/1\",\"pid\":").Number(process_->pid).Text(",\"program\":\"");
    line_.Path(program_).Text("\"}");
  } else {
    line_.Text("# mallocspy trace of process ").Number(process_->pid).Text(", ").Path(program_);
  }
  AppendLine();
  return true;
}

// A child may have another current directory.
void Log::MakeFileAbsolute() {
  if (settings_.file[0] == '/') return;
  if (!system::CurrentDirectory(path_, sizeof(path_))) return;
  const size_t directory_bytes = strlen(path_);
  const size_t file_bytes = strlen(settings_.file);
  if (directory_bytes + 1 + file_bytes >= sizeof(settings_.file)) return;
  memmove(settings_.file + directory_bytes + 1, settings_.file, file_bytes + 1);
  memcpy(settings_.file, path_, directory_bytes);
  settings_.file[directory_bytes] = '/';
}

bool Log::CreateFile() {
  for (uint32_t attempt = 0; attempt < kMostNames; ++attempt) {
    line_.Clear();
    for (const char* c = settings_.file; *c != '\0'; ++c) {
      if (c[0] == '%' && c[1] == 'p') {
        line_.Number(process_->pid);
        ++c;
      } else {
        line_.Char(*c);
      }
    }
    if (attempt != 0) line_.Char('.').Number(attempt);
    errno = ENAMETOOLONG;
    if (line_.size() >= sizeof(path_)) break;
    memcpy(path_, line_.data(), line_.size());
    path_[line_.size()] = '\0';
    fd_ = system::Create(path_, &file_id_);
    if (fd_ >= 0) return true;
    if (errno != EEXIST) break;
  }
  const char* why = strerrordesc_np(errno);
  line_.Clear();
  line_.Text("mallocspy_trace: cannot create ").Path(path_).Text(" (").Text(why == nullptr ? "unknown error" : why);
  line_.Text("); give another place with file=PATH");
  SayLine();
  return false;
}

void Log::AppendLine() {
  line_.End();
  file_bytes_ += line_.size();
  if (buffered_ + line_.size() > settings_.buffer_bytes) Flush();
  if (line_.size() > settings_.buffer_bytes) {
    Send(line_.data(), line_.size());
    return;
  }
  memcpy(buffer_ + buffered_, line_.data(), line_.size());
  buffered_ += line_.size();
}

void Log::Flush() {
  const size_t bytes = buffered_;
  buffered_ = 0;
  if (bytes != 0) Send(buffer_, bytes);
}

void Log::Send(const char* data, size_t bytes) {
  if (fd_ < 0 || system::Write(fd_, data, bytes)) return;
  const char* why = strerrordesc_np(errno);
  system::Close(fd_, file_id_);
  fd_ = -1;
  line_.Clear();
  line_.Text("mallocspy_trace: writing ").Path(path_).Text(" failed (").Text(why == nullptr ? "unknown error" : why);
  line_.Text("), the trace ends here; make room, or give another place with file=PATH");
  SayLine();
}

void Log::SayLine() {
  line_.End();
  system::WriteToStandardError(line_.data(), line_.size());
}

uint32_t Log::ThreadId() const {
  const uint32_t pid = process_->pid.load(std::memory_order_relaxed);
  if (known_thread.pid != pid) known_thread = {pid, system::ThreadId()};
  return known_thread.tid;
}

const char* Log::ModuleName(const system::CodePlace& place) const {
  return place.module[0] == '\0' ? program_ : place.module;
}

void Log::FormatText(const Call& call) {
  line_.Number(calls_).Text(" [").Number(ThreadId()).Text("] ");
  switch (call.event) {
    case Event::kAlloc:
      line_.Text("alloc ").Number(call.bytes).Text(" bytes = ").Pointer(call.result);
      break;
    case Event::kRealloc:
      line_.Text("realloc ").Pointer(call.pointer).Text(" to ").Number(call.bytes).Text(" bytes = ");
      line_.Pointer(call.result);
      break;
    case Event::kFree:
      line_.Text("free ").Pointer(call.pointer);
      break;
    case Event::kGetSize:
    case Event::kDidAlloc:
      line_.Text(call.event == Event::kGetSize ? "get_size " : "did_alloc ").Pointer(call.pointer).Text(" = ");
      if (call.answer < 0) line_.Char('-');
      line_.Number(static_cast<uint64_t>(call.answer < 0 ? -call.answer : call.answer));
      break;
    case Event::kMinimize:
      line_.Text("minimize");
      break;
  }
  if (!call.spied) line_.Text(" unspied");
  if (call.caller == nullptr) return;
  const system::CodePlace place = system::Locate(call.caller);
  line_.Text(" from ");
  if (place.module != nullptr) line_.Path(ModuleName(place)).Char('+');
  line_.Hex(place.offset);
}

void Log::FormatJson(const Call& call) {
  line_.Text("{\"n\":").Number(calls_).Text(",\"tid\":").Number(ThreadId()).Text(",\"op\":\"");
  switch (call.event) {
    case Event::kAlloc:
      line_.Text("alloc\",\"bytes\":").Number(call.bytes).Text(",\"result\":\"").Pointer(call.result).Char('"');
      break;
    case Event::kRealloc:
      line_.Text("realloc\",\"pointer\":\"").Pointer(call.pointer).Text("\",\"bytes\":").Number(call.bytes);
      line_.Text(",\"result\":\"").Pointer(call.result).Char('"');
      break;
    case Event::kFree:
      line_.Text("free\",\"pointer\":\"").Pointer(call.pointer).Char('"');
      break;
    case Event::kGetSize:
    case Event::kDidAlloc:
      line_.Text(call.event == Event::kGetSize ? "get_size" : "did_alloc").Text("\",\"pointer\":\"");
      line_.Pointer(call.pointer).Text("\",\"result\":");
      if (call.answer < 0) line_.Char('-');
      line_.Number(static_cast<uint64_t>(call.answer < 0 ? -call.answer : call.answer));
      break;
    case Event::kMinimize:
      line_.Text("minimize\"");
      break;
  }
  if (call.event != Event::kAlloc && call.event != Event::kMinimize) {
    line_.Text(",\"spied\":").Text(call.spied ? "true" : "false");
  }
  if (call.caller != nullptr) {
    const system::CodePlace place = system::Locate(call.caller);
    if (place.module != nullptr) line_.Text(",\"module\":\"").Path(ModuleName(place)).Char('"');
    line_.Text(",\"offset\":\"").Hex(place.offset).Char('"');
  }
  line_.Char('}');
}

}  // namespace mallocspy::spies::trace
