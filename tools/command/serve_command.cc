#include "tools/command/serve_command.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/command/complaint.h"
#include "tools/command/help.h"
#include "tools/command/live_options.h"
#include "tools/export/pprof_export.h"
#include "tools/live/live_process.h"
#include "tools/page/access.h"
#include "tools/page/file_source.h"
#include "tools/page/page_server.h"
#include "tools/report/report_sink.h"
#include "tools/verdict/fail_on.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

struct ServeSettings {
  bool help = false;
  bool with_token = true;
  std::string token;  // empty: a new one
  ListenAddress address;
  std::vector<std::string> arguments;
};

absl::Status Set(absl::string_view name, absl::string_view value, ServeSettings* settings) {
  if (name == "help") settings->help = true;
  if (name == "no-token") settings->with_token = false;
  if (name == "token") {
    for (const char letter : value) {
      if (absl::ascii_isalnum(static_cast<unsigned char>(letter)) || letter == '-' || letter == '_') continue;
      return absl::InvalidArgumentError("--token: a token has letters, digits, '-' and '_' only");
    }
    if (value.size() < 16) return absl::InvalidArgumentError("--token: a token has at least 16 letters");
    settings->token = std::string(value);
  }
  if (name == "listen") {
    absl::StatusOr<ListenAddress> address = ListenAddress::Parse(value);
    if (!address.ok()) return address.status();
    settings->address = *std::move(address);
  }
  return absl::OkStatus();
}

absl::StatusOr<ServeSettings> Parse(const std::vector<std::string>& arguments) {
  ServeSettings settings;
  const absl::Status parsed = ParseOptions(
      {.options = ServeOptions(),
       .before_arguments_only = false,
       .set = [&settings](absl::string_view name, absl::string_view value) { return Set(name, value, &settings); },
       .unknown = [](absl::string_view argument) { return NoSuchOption(argument, ServeOptions()); }},
      arguments, &settings.arguments);
  if (!parsed.ok()) return parsed;
  if (!settings.with_token && !settings.token.empty())
    return absl::InvalidArgumentError("--token and --no-token contradict each other");
  if (!settings.help && settings.arguments.size() != 1)
    return absl::InvalidArgumentError("serve needs one snapshot file (*.mspy) or process");
  return settings;
}

// A process, or what would be one if it were running; else a file.
bool NamesProcess(const std::string& name) {
  std::error_code ignored;
  return !std::filesystem::exists(name, ignored) && !absl::EndsWith(name, ".mspy") && name.find('/') == std::string::npos;
}

absl::StatusOr<HeapSource> SourceOf(const std::string& name) {
  HeapSource source;
  if (NamesProcess(name)) {
    absl::StatusOr<LiveProcess> process = LiveProcess::Find(name);
    if (!process.ok()) return process.status();
    source.read = [process = *std::move(process)] { return process.Read(); };
  } else {
    source = HeapOfFile(name);
  }
  if (const absl::StatusOr<Snapshot> first = source.read(); !first.ok()) return first.status();
  return source;
}

absl::StatusOr<std::string> Pprof(const Snapshot& snapshot) {
  FrameNamer namer(/*show_progress=*/false);
  std::string profile;
  const absl::Status written = WritePprof(snapshot, &namer, &profile);
  if (!written.ok()) return written;
  return profile;
}

// Answers until SIGINT or SIGTERM, which every thread has blocked.
int ServeUntilSignal(PageServer* server, const sigset_t& ends) {
  std::atomic<bool> failed = false;
  std::thread serving([server, &failed] { failed = !server->Serve(); });
  const timespec moment = {0, 200'000'000};
  while (!failed && sigtimedwait(&ends, nullptr, &moment) < 0) {
  }
  server->Stop();
  serving.join();
  if (!failed) return kExitClean;
  Complain("the server's socket failed");
  return kExitIncomplete;
}

}  // namespace

const std::vector<Option>& ServeOptions() {
  static const auto& options = *new std::vector<Option>{
      {"listen", "ADDRESS:PORT",
       "where to listen; port 0 is any that is free (default 127.0.0.1:0: this machine only)"},
      {"token", "TEXT", "the token that requests must have (default: a new random one)"},
      {"no-token", nullptr, "answer everybody who can reach the address"},
      {"help", nullptr, "this text"},
  };
  return options;
}

int ServeCommand(const std::vector<std::string>& arguments) {
  absl::StatusOr<ServeSettings> settings = Parse(arguments);
  if (!settings.ok()) return UsageError(settings.status().message(), "serve");
  if (settings->help) return PrintHelp("serve");
  absl::StatusOr<HeapSource> source = SourceOf(settings->arguments[0]);
  if (!source.ok()) {
    if (NamesProcess(settings->arguments[0])) return NoProcess(source.status());
    Complain(Escaped(source.status().message()));
    return kExitUsage;
  }
  if (settings->with_token && settings->token.empty()) {
    absl::StatusOr<std::string> token = Access::NewToken();
    if (!token.ok()) {
      Complain(token.status().message());
      return kExitIncomplete;
    }
    settings->token = *std::move(token);
  }
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  PageServer server(
      {.address = settings->address, .token = settings->token, .source = *std::move(source), .pprof = Pprof});
  if (const absl::Status bound = server.Bind(); !bound.ok()) {
    Complain(bound.message());
    return kExitIncomplete;
  }
  if (!WriteAll(STDOUT_FILENO, absl::StrCat(server.url(), "\n")).ok()) return kExitIncomplete;
  return ServeUntilSignal(&server, ends);
}

}  // namespace mallocspy
