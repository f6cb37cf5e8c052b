// Objects of operator new, plain and nothrow.
#include <new>

struct Crate {
  char bytes[45];
};

static Crate* Leak() { return new Crate; }                        // leak: 4 blocks 180 bytes new
static Crate* LeakNothrow() { return new (std::nothrow) Crate; }  // leak: 1 blocks 45 bytes new

int main() {
  for (int i = 0; i < 4; ++i) Leak();
  LeakNothrow();
  delete new Crate;
}
