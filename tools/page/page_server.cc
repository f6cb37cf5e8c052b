#include "tools/page/page_server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/page/page.h"
#include "tools/page/page_data.h"
#include "tools/verdict/assessment.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

// How often at most a new picture is made, however many ask.
constexpr std::chrono::milliseconds kPictureInterval(500);

// The page sets the same policy for itself; this one also holds for texts, and keeps it out of other pages' frames.
constexpr char kPolicy[] = "frame-ancestors 'none'";

void Answer(int status, const std::string& sentence, httplib::Response* response) {
  response->status = status;
  response->set_content(sentence + "\n", "text/plain; charset=utf-8");
}

// The picture that is shown, with its data.
class Exhibit {
 public:
  explicit Exhibit(HeapSource source) : source_(std::move(source)) {}

  // Makes a new picture if there is something new. The error is a sentence.
  absl::Status Refresh() {
    const auto now = std::chrono::steady_clock::now();
    if (version_ != 0 && (now < next_ || (source_.changed != nullptr && !source_.changed()))) return absl::OkStatus();
    absl::StatusOr<Snapshot> snapshot = source_.read();
    next_ = std::chrono::steady_clock::now() + kPictureInterval;
    if (!snapshot.ok()) return snapshot.status();
    snapshot_ = *std::move(snapshot);
    Circumstances circumstances;
    circumstances.still_running = snapshot_.state != ledger::State::kEnded;
    const Findings findings = Assess(snapshot_, circumstances, kMostPageLeaks, &namer_);
    data_ = PageData({findings}, {absl::MakeConstSpan(&snapshot_, 1), &namer_});
    ++version_;
    return absl::OkStatus();
  }

  std::mutex mutex;  // held around everything here

  const Snapshot& snapshot() const { return snapshot_; }
  const std::string& data() const { return data_; }
  std::string tag() const { return absl::StrCat("\"", version_, "\""); }

 private:
  const HeapSource source_;
  FrameNamer namer_{/*show_progress=*/false};
  Snapshot snapshot_;
  std::string data_;
  uint64_t version_ = 0;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace

class PageServer::Site {
 public:
  explicit Site(PageServerSettings settings) : settings_(std::move(settings)), exhibit_(settings_.source) {
    // Two servers at one port, which the library allows by default, would share the requests.
    server_.set_socket_options([](int socket) {
      const int on = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    });
    server_.set_keep_alive_timeout(1);  // Stop() waits for it
    server_.set_payload_max_length(0);
    server_.set_default_headers({{"Cache-Control", "no-store"},
                                 {"Content-Security-Policy", kPolicy},
                                 {"Cross-Origin-Resource-Policy", "same-origin"},
                                 {"Referrer-Policy", "no-referrer"},
                                 {"X-Content-Type-Options", "nosniff"},
                                 {"X-Frame-Options", "DENY"}});
    server_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      return Admit(request, &response) ? httplib::Server::HandlerResponse::Unhandled
                                       : httplib::Server::HandlerResponse::Handled;
    });
    server_.Get("/", [this](const httplib::Request& request, httplib::Response& response) {
      if (request.has_param("token")) response.set_header("Set-Cookie", access_->Cookie());
      response.set_content(LivePageHtml(), "text/html; charset=utf-8");
    });
    server_.Get("/data.json",
                [this](const httplib::Request& request, httplib::Response& response) { SendData(request, &response); });
    server_.Get("/debug/pprof/heap",
                [this](const httplib::Request&, httplib::Response& response) { SendPprof(&response); });
    server_.set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty() && response.status == 404) {
        Answer(404, "There are /, /data.json and /debug/pprof/heap here.", &response);
      }
    });
  }

  absl::Status Bind() {
    const ListenAddress& address = settings_.address;
    errno = 0;
    const int port = address.port == 0 ? server_.bind_to_any_port(address.host.c_str())
                     : server_.bind_to_port(address.host.c_str(), address.port) ? address.port
                                                                                : -1;
    if (port < 0) {
      const int error = errno;
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", Escaped(address.host_in_url()), ":", address.port, ": ",
                       error == EADDRINUSE ? "another program does; --listen names another port, 0 is any that is free"
                       : error != 0        ? std::strerror(error)
                                           : "there is no such address"));
    }
    settings_.address.port = static_cast<uint16_t>(port);
    access_.emplace(settings_.address, settings_.token);
    return absl::OkStatus();
  }

  std::string url() const {
    return absl::StrCat("http://", settings_.address.host_in_url(), ":", settings_.address.port, "/",
                        settings_.token.empty() ? "" : "?token=", settings_.token);
  }
  uint16_t port() const { return settings_.address.port; }

  bool Serve() {
    const bool served = stopped_ || server_.listen_after_bind();
    ended_ = true;
    return served || stopped_;
  }

  void Stop() {
    stopped_ = true;
    // The library forgets a stop that comes before it runs.
    while (!ended_ && !server_.is_running() && serving_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    server_.stop();
  }

  std::atomic<bool> serving_ = false;

 private:
  bool Admit(const httplib::Request& request, httplib::Response* response) {
    if (!access_->HostAllowed(request.get_header_value("Host"))) {
      Answer(403, "This server answers under its own address only.", response);
    } else if (request.method != "GET") {
      response->set_header("Allow", "GET");
      Answer(405, "This server knows GET only.", response);
    } else if (!access_->TokenAllowed(request.get_param_value("token"), request.get_header_value("Authorization"),
                                      request.get_header_value("Cookie"))) {
      Answer(401, "The token is missing or wrong: open the whole address that mallocspy serve printed.", response);
    } else {
      return true;
    }
    return false;
  }

  void SendData(const httplib::Request& request, httplib::Response* response) {
    const std::lock_guard<std::mutex> lock(exhibit_.mutex);
    if (const absl::Status status = exhibit_.Refresh(); !status.ok()) {
      Answer(503, Escaped(status.message()), response);
      return;
    }
    response->set_header("ETag", exhibit_.tag());
    if (request.get_header_value("If-None-Match") == exhibit_.tag()) {
      response->status = 304;
    } else {
      response->set_content(exhibit_.data(), "application/json");
    }
  }

  void SendPprof(httplib::Response* response) {
    if (settings_.pprof == nullptr) {
      Answer(501, "This server has no profile for pprof yet.", response);
      return;
    }
    const std::lock_guard<std::mutex> lock(exhibit_.mutex);
    absl::Status status = exhibit_.Refresh();
    if (status.ok()) {
      const absl::StatusOr<std::string> profile = settings_.pprof(exhibit_.snapshot());
      if (profile.ok()) response->set_content(*profile, "application/octet-stream");
      status = profile.status();
    }
    if (!status.ok()) Answer(503, Escaped(status.message()), response);
  }

  PageServerSettings settings_;
  Exhibit exhibit_;
  std::optional<Access> access_;
  httplib::Server server_;
  std::atomic<bool> stopped_ = false;
  std::atomic<bool> ended_ = false;
};

PageServer::PageServer(PageServerSettings settings) : site_(std::make_unique<Site>(std::move(settings))) {}
PageServer::~PageServer() = default;
absl::Status PageServer::Bind() { return site_->Bind(); }
std::string PageServer::url() const { return site_->url(); }
uint16_t PageServer::port() const { return site_->port(); }
bool PageServer::Serve() {
  site_->serving_ = true;
  return site_->Serve();
}
void PageServer::Stop() { site_->Stop(); }

}  // namespace mallocspy
