#include "tools/page/access.h"

#include <sys/random.h>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tools/wording/escape.h"

namespace mallocspy {

absl::StatusOr<ListenAddress> ListenAddress::Parse(absl::string_view text) {
  const size_t colon = text.rfind(':');
  uint32_t port = 0;
  ListenAddress address;
  if (colon != absl::string_view::npos && colon != 0 && absl::SimpleAtoi(text.substr(colon + 1), &port) &&
      port <= UINT16_MAX) {
    absl::string_view host = text.substr(0, colon);
    const bool brackets = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
    if (!host.empty() && brackets == absl::StrContains(host, ':')) {
      address.host = std::string(host);
      address.port = static_cast<uint16_t>(port);
      return address;
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--listen: '", Escaped(text),
                   "' is not ADDRESS:PORT, as 127.0.0.1:8080 or [::1]:8080 (port 0: any that is free)"));
}

std::string ListenAddress::host_in_url() const {
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]") : host;
}

Access::Access(ListenAddress address, std::string token) : address_(std::move(address)), token_(std::move(token)) {}

bool Access::HostAllowed(absl::string_view host_header) const {
  for (const std::string& name : {address_.host_in_url(), std::string("localhost")}) {
    if (absl::EqualsIgnoreCase(host_header, absl::StrCat(name, ":", address_.port))) return true;
    // Browsers leave this port out.
    if (address_.port == 80 && absl::EqualsIgnoreCase(host_header, name)) return true;
  }
  return false;
}

// How long it takes says nothing about where the texts differ.
bool Access::IsToken(absl::string_view text) const {
  if (text.size() != token_.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < token_.size(); ++i)
    difference |= static_cast<unsigned char>(text[i]) ^ static_cast<unsigned char>(token_[i]);
  return difference == 0;
}

bool Access::TokenAllowed(absl::string_view query_token, absl::string_view authorization,
                          absl::string_view cookies) const {
  if (token_.empty()) return true;
  bool allowed = IsToken(query_token);
  if (absl::StartsWithIgnoreCase(authorization, "Bearer ")) allowed |= IsToken(authorization.substr(7));
  for (absl::string_view cookie : absl::StrSplit(cookies, ';')) {
    cookie = absl::StripAsciiWhitespace(cookie);
    if (absl::ConsumePrefix(&cookie, absl::StrCat(CookieName(), "="))) allowed |= IsToken(cookie);
  }
  return allowed;
}

// Cookies are of a host, whatever the port: two servers must not take each other's.
std::string Access::CookieName() const { return absl::StrCat("mallocspy_", address_.port); }

std::string Access::Cookie() const {
  return absl::StrCat(CookieName(), "=", token_, "; Path=/; HttpOnly; SameSite=Strict");
}

absl::StatusOr<std::string> Access::NewToken() {
  char bytes[16];
  if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
    return absl::InternalError("the system has no random numbers for a token");
  return absl::BytesToHexString(absl::string_view(bytes, sizeof(bytes)));
}

}  // namespace mallocspy
