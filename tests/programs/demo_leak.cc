// What `tools/dev demo` shows: a small service that keeps sessions and forgets some of what belongs to them.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

struct Session {
  std::string user;
  char* greeting = nullptr;  // owned, but no destructor frees it
};

char* MakeGreeting(const std::string& user) {
  const size_t bytes = user.size() + sizeof("Welcome back, !");
  char* text = static_cast<char*>(std::malloc(bytes));
  std::snprintf(text, bytes, "Welcome back, %s!", user.c_str());
  return text;
}

std::unique_ptr<Session> OpenSession(const char* user) {
  auto session = std::make_unique<Session>();
  session->user = user;
  session->greeting = MakeGreeting(session->user);
  return session;
}

// The old table is dropped on every reload instead of being freed.
int* LoadRates(int* rates, int count) {
  rates = new int[count];
  for (int i = 0; i < count; ++i) rates[i] = 100 + i;
  return rates;
}

int main() {
  std::vector<std::unique_ptr<Session>> sessions;
  for (const char* user : {"ada", "grace", "barbara"}) sessions.push_back(OpenSession(user));
  int* rates = nullptr;
  for (int day = 0; day < 5; ++day) rates = LoadRates(rates, 8192);
  std::printf("%zu sessions, first rate %d\n", sessions.size(), rates[0]);
  delete[] rates;
  return 0;
}
