// Arrays of operator new[], plain and nothrow.
#include <new>

static char* Leak(int bytes) { return new char[bytes]; }                        // leak: 2 blocks 110 bytes new[]
static char* LeakNothrow(int bytes) { return new (std::nothrow) char[bytes]; }  // leak: 1 blocks 57 bytes new[]

int main() {
  Leak(51);
  Leak(59);
  LeakNothrow(57);
  delete[] Leak(77);
}
