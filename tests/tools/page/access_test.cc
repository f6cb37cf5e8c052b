#include "tools/page/access.h"

#include <gtest/gtest.h>

namespace mallocspy {
namespace {

TEST(ListenAddress, Forms) {
  const auto parsed = [](const char* text) {
    const absl::StatusOr<ListenAddress> address = ListenAddress::Parse(text);
    return address.ok() ? address->host + " " + std::to_string(address->port) : "bad";
  };
  EXPECT_EQ(parsed("127.0.0.1:8080"), "127.0.0.1 8080");
  EXPECT_EQ(parsed("[::1]:0"), "::1 0");
  EXPECT_EQ(parsed("localhost:80"), "localhost 80");
  for (const char* text : {"", ":", ":80", "host", "host:", "host:x", "host:65536", "host:-1", "::1:80", "[::1]",
                           "[::1:80", "[host]:80"}) {
    EXPECT_EQ(parsed(text), "bad") << text;
  }
}

TEST(Access, HostMustBeTheServersOwn) {
  const Access access({"127.0.0.1", 8080}, "t");
  for (const char* host : {"127.0.0.1:8080", "localhost:8080", "LOCALHOST:8080"})
    EXPECT_TRUE(access.HostAllowed(host)) << host;
  for (const char* host : {"", "127.0.0.1", "localhost", "127.0.0.1:80", "evil.example:8080",
                           "127.0.0.1:8080.evil.example", "localhost:8080:8080"}) {
    EXPECT_FALSE(access.HostAllowed(host)) << host;
  }
  EXPECT_TRUE(Access({"127.0.0.1", 80}, "t").HostAllowed("localhost"));
  EXPECT_TRUE(Access({"::1", 8080}, "t").HostAllowed("[::1]:8080"));
}

TEST(Access, TokenByAnyOfThreeWays) {
  const Access access({"127.0.0.1", 8080}, "0123456789abcdef");
  EXPECT_TRUE(access.TokenAllowed("0123456789abcdef", "", ""));
  EXPECT_TRUE(access.TokenAllowed("", "Bearer 0123456789abcdef", ""));
  EXPECT_TRUE(access.TokenAllowed("", "bearer 0123456789abcdef", ""));
  EXPECT_TRUE(access.TokenAllowed("", "", "a=b; mallocspy_8080=0123456789abcdef; c=d"));
  EXPECT_FALSE(access.TokenAllowed("", "", ""));
  EXPECT_FALSE(access.TokenAllowed("0123456789abcdeX", "", ""));
  EXPECT_FALSE(access.TokenAllowed("0123456789abcde", "", ""));
  EXPECT_FALSE(access.TokenAllowed("0123456789abcdef0", "", ""));
  EXPECT_FALSE(access.TokenAllowed("", "Basic 0123456789abcdef", ""));
  EXPECT_FALSE(access.TokenAllowed("", "", "mallocspy_8081=0123456789abcdef"));
  EXPECT_TRUE(Access({"127.0.0.1", 8080}, "").TokenAllowed("", "", ""));
}

TEST(Access, NewTokensDiffer) {
  const absl::StatusOr<std::string> one = Access::NewToken(), two = Access::NewToken();
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_EQ(one->size(), 32u);
  EXPECT_NE(*one, *two);
}

}  // namespace
}  // namespace mallocspy
