// A leak that only happens after main, in the destructor of a static object and in a function given to atexit.
#include <cstdlib>

static void AtExit() {
  void* volatile block = std::malloc(89);  // leak: 1 blocks 89 bytes malloc
  (void)block;
}

struct Static {
  Static() { std::atexit(AtExit); }
  ~Static() {
    char* volatile block = new char[97];  // leak: 1 blocks 97 bytes new[]
    (void)block;
  }
};

static Static object;

int main() {}
