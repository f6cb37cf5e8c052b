// Objects and arrays of an over-aligned type.
#include <cstddef>

struct alignas(128) Wide {
  char bytes[128];
};

static Wide* Leak() { return new Wide; }          // leak: 2 blocks 256 bytes aligned new
static Wide* LeakArray() { return new Wide[3]; }  // leak: 1 blocks 384 bytes aligned new[]

int main() {
  Leak();
  Leak();
  LeakArray();
  delete new Wide;
  delete[] new Wide[2];
}
