// Who may ask the server of the page: those who know its token, and only under the server's own name.
//
// A page of somebody else's in the same browser can send requests here. It cannot know the token; and a name of its own
// that it lets point here (DNS rebinding) does not pass as Host.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mallocspy {

// "127.0.0.1:8080", "[::1]:0", "localhost:80"; port 0 is any that is free.
struct ListenAddress {
  std::string host = "127.0.0.1";  // without brackets
  uint16_t port = 0;

  // The error is a sentence for the user.
  static absl::StatusOr<ListenAddress> Parse(absl::string_view text);
  std::string host_in_url() const;  // with brackets where there must be some
};

class Access {
 public:
  // An empty token lets everybody in who gets through to the address.
  Access(ListenAddress address, std::string token);

  bool HostAllowed(absl::string_view host_header) const;

  // Each is "" if it was not sent.
  bool TokenAllowed(absl::string_view query_token, absl::string_view authorization, absl::string_view cookies) const;

  // "Set-Cookie"'s value that lets this browser in from now on. Not for scripts, nor for requests from other sites.
  std::string Cookie() const;

  // 128 random bits in hexadecimal digits.
  static absl::StatusOr<std::string> NewToken();

 private:
  bool IsToken(absl::string_view text) const;
  std::string CookieName() const;

  const ListenAddress address_;
  const std::string token_;
};

}  // namespace mallocspy
