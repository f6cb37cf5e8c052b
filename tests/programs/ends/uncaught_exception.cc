// An exception that nobody catches ends in abort.
#include <cstdlib>
#include <stdexcept>

static void Leak() {
  void* volatile block = std::malloc(33);  // leak: 1 blocks 33 bytes malloc
  (void)block;
}

int main() {
  Leak();
  throw std::runtime_error("nobody catches this");  // signal: SIGABRT
}
