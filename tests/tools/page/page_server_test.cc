#include "tools/page/page_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/scratch_directory.h"
#include "tests/tools/page/page_ledgers.h"
#include "tools/page/file_source.h"
#include "tools/reader/reader.h"

namespace mallocspy {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kToken[] = "0123456789abcdef0123456789abcdef";

class PageServerTest : public ::testing::Test {
 protected:
  void Start(HeapSource source, const std::string& token = kToken) {
    server_.emplace(PageServerSettings{.address = {}, .token = token, .source = std::move(source), .pprof = nullptr});
    const absl::Status bound = server_->Bind();
    ASSERT_TRUE(bound.ok()) << bound;
    thread_ = std::thread([this] { EXPECT_TRUE(server_->Serve()); });
  }

  ~PageServerTest() override {
    if (!server_.has_value()) return;
    server_->Stop();
    if (thread_.joinable()) thread_.join();
  }

  // Sends these bytes and gives all of the answer.
  std::string Exchange(const std::string& request) {
    const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(send(connection, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
    std::string answer;
    char bytes[65536];
    for (ssize_t got; (got = read(connection, bytes, sizeof(bytes))) > 0;)
      answer.append(bytes, static_cast<size_t>(got));
    close(connection);
    return answer;
  }

  std::string Ask(const std::string& target, const std::string& headers = "", const std::string& method = "GET",
                  std::string host = "") {
    if (host.empty()) host = absl::StrCat("127.0.0.1:", server_->port());
    return Exchange(
        absl::StrCat(method, " ", target, " HTTP/1.1\r\nHost: ", host, "\r\nConnection: close\r\n", headers, "\r\n"));
  }

  static std::string Body(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }
  static std::string Header(const std::string& answer, const std::string& name) {
    const size_t at = answer.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const size_t begin = at + name.size() + 4;
    return answer.substr(begin, answer.find("\r\n", begin) - begin);
  }
  static std::string Bearer() { return absl::StrCat("Authorization: Bearer ", kToken, "\r\n"); }

  static HeapSource Hostile() {
    return {.read = [] { return ReadSnapshot(MemorySource(HostileLedger()), "x"); }, .changed = nullptr};
  }

  ScratchDirectory scratch_;
  std::optional<PageServer> server_;
  std::thread thread_;
};

TEST_F(PageServerTest, NothingWithoutTheToken) {
  Start(Hostile());
  EXPECT_EQ(server_->url(), absl::StrCat("http://127.0.0.1:", server_->port(), "/?token=", kToken));
  for (const char* target :
       {"/", "/data.json", "/debug/pprof/heap", "/else", "/?token=", "/?token=0123456789abcdef0123456789abcdee"}) {
    const std::string answer = Ask(target);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 401 ")) << target;
    EXPECT_EQ(Header(answer, "Set-Cookie"), "");
    EXPECT_THAT(answer, Not(HasSubstr("<script")));
  }
}

TEST_F(PageServerTest, FirstVisitSetsACookieThatLetsIn) {
  Start(Hostile());
  const std::string answer = Ask(absl::StrCat("/?token=", kToken));
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("connect-src 'self'"),
                            HasSubstr("\r\nX-Frame-Options: DENY\r\n")));
  const std::string cookie = Header(answer, "Set-Cookie");
  EXPECT_THAT(cookie, AllOf(HasSubstr("; HttpOnly"), HasSubstr("; SameSite=Strict")));
  const std::string sent = absl::StrCat("Cookie: ", cookie.substr(0, cookie.find(';')), "\r\n");
  EXPECT_THAT(Ask("/", sent), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Ask("/data.json", sent), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Ask("/data.json", Bearer()), StartsWith("HTTP/1.1 200 "));
}

TEST_F(PageServerTest, OtherHostsAndMethodsAreRefused) {
  Start(Hostile());
  EXPECT_THAT(Ask("/", Bearer(), "GET", "evil.example"), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(Ask("/", Bearer(), "GET", absl::StrCat("evil.example:", server_->port())), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(Ask("/", Bearer(), "GET", absl::StrCat("localhost:", server_->port())), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Exchange("GET / HTTP/1.0\r\n" + Bearer() + "\r\n"), StartsWith("HTTP/1.1 403 "));
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    const std::string answer = Ask("/data.json", Bearer() + "Content-Length: 0\r\n", method);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 ")) << method;
    EXPECT_EQ(Header(answer, "Allow"), "GET");
  }
  EXPECT_THAT(Ask("/", Bearer(), "HEAD"), StartsWith("HTTP/1.1 405 "));
}

TEST_F(PageServerTest, UnknownPathsAndTheProfileThatIsNotThere) {
  Start(Hostile());
  for (const char* target : {"/etc/passwd", "/../etc/passwd", "/data.json/", "//"}) {
    EXPECT_THAT(Ask(target, Bearer()), StartsWith("HTTP/1.1 404 ")) << target;
  }
  EXPECT_THAT(Ask("/debug/pprof/heap", Bearer()),
              AllOf(StartsWith("HTTP/1.1 501 "), HasSubstr("no profile for pprof")));
  EXPECT_THAT(Exchange("\r\n\r\n\x16\x03\x01 nonsense\r\n\r\n"), Not(HasSubstr("200")));
}

TEST_F(PageServerTest, DataFollowsTheFile) {
  const std::string path = scratch_.Write("x.mspy", HostileLedger());
  Start(HeapOfFile(path));
  const std::string first = Ask("/data.json", Bearer());
  EXPECT_EQ(json::parse(Body(first))["pictures"][0]["totals"]["live_bytes"], 124);
  const std::string tag = absl::StrCat(Bearer(), "If-None-Match: ", Header(first, "ETag"), "\r\n");
  EXPECT_THAT(Ask("/data.json", tag), StartsWith("HTTP/1.1 304 "));
  scratch_.Write("x.mspy", LargeLedger(10, 4));
  std::string next;
  do {
    next = Ask("/data.json", tag);
  } while (next.starts_with("HTTP/1.1 304 "));
  EXPECT_EQ(json::parse(Body(next))["pictures"][0]["exe"], "/opt/large");
  std::filesystem::remove(path);
  do {
    next = Ask("/data.json", tag);
  } while (next.starts_with("HTTP/1.1 200 "));
  EXPECT_THAT(next, AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("x.mspy")));
}

TEST_F(PageServerTest, WithoutATokenEverybodyMayAsk) {
  Start(Hostile(), "");
  EXPECT_EQ(server_->url(), absl::StrCat("http://127.0.0.1:", server_->port(), "/"));
  EXPECT_THAT(Ask("/data.json"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(PageServerTest, APortInUseIsASentence) {
  Start(Hostile());
  PageServer second({.address = {"127.0.0.1", server_->port()}, .token = "", .source = Hostile(), .pprof = nullptr});
  EXPECT_THAT(std::string(second.Bind().message()),
              AllOf(HasSubstr("cannot listen on 127.0.0.1:"), HasSubstr("another program does")));
}

TEST_F(PageServerTest, StopsAlsoBeforeItServes) {
  PageServer server({.address = {}, .token = "", .source = Hostile(), .pprof = nullptr});
  ASSERT_TRUE(server.Bind().ok());
  server.Stop();
  EXPECT_TRUE(server.Serve());
}

}  // namespace
}  // namespace mallocspy
