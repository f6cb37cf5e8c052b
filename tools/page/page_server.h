// Serves the page and its data over HTTP, to those whom Access lets in:
//
//   /                  the page, which asks for its data again and again
//   /data.json         PageData() of a new picture; 304 while nothing has changed
//   /debug/pprof/heap  the same picture for pprof
//
//   PageServer server({.access = ..., .source = HeapOfFile("x.mspy")});
//   if (absl::Status bound = server.Bind(); bound.ok()) server.Serve();   // until Stop(), from another thread
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/page/access.h"
#include "tools/page/heap_source.h"

namespace mallocspy {

struct PageServerSettings {
  ListenAddress address;
  std::string token;  // empty: everybody may ask
  HeapSource source;
  std::function<absl::StatusOr<std::string>(const Snapshot&)> pprof;  // null: answered with 501
};

class PageServer {
 public:
  explicit PageServer(PageServerSettings settings);
  ~PageServer();

  // Begins to listen. The error is a sentence for the user.
  absl::Status Bind();

  // Where the page is, with the token. After Bind().
  std::string url() const;
  uint16_t port() const;

  // Answers until Stop(), which may be called from any thread, also before. False if the socket failed.
  bool Serve();
  void Stop();

 private:
  class Site;
  std::unique_ptr<Site> site_;
};

}  // namespace mallocspy
