// Thread-local objects free their memory when their thread ends, main's among them: no leak.
#include <string>
#include <thread>
#include <vector>

thread_local std::vector<std::string> names;

static void Work() {
  for (int i = 0; i < 50; ++i) names.push_back(std::string(100, 'x'));
}

int main() {
  std::vector<std::thread> threads;
  for (int i = 0; i < 10; ++i) threads.emplace_back(Work);
  for (std::thread& thread : threads) thread.join();
  Work();
}
