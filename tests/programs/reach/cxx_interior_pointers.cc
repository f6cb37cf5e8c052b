// What C++ keeps instead of a pointer to the start counts as one: behind an array's cookie, to a base class that is not the first. A pointer
// to some member does not.
#include <cstdlib>

struct First {
  virtual ~First() = default;
  int a = 1;
};
struct Second {
  virtual ~Second() = default;
  int b = 2;
};
struct Both : First, Second {
  int c = 3;
};

First* g_array;
Second* g_second;
int* g_member;

int main() {
  g_array = new First[10];  // leak: 1 block 168 bytes new[] is reachable from global g_array
  g_second = new Both;      // leak: 1 block 32 bytes new is reachable from global g_second
  g_member = &(new Both)->c;  // leak: 1 block 32 bytes new is possible from global g_member
  return 0;
}
