// The program replaces operator new and delete: its own are called, and what they take from malloc is recorded.
#include <cstdio>
#include <cstdlib>
#include <new>

static int made;
static int freed;

void* operator new(size_t bytes) {
  ++made;
  void* block = std::malloc(bytes + 8);  // leak: 1 blocks 53 bytes malloc
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
void operator delete(void* block) noexcept {
  ++freed;
  std::free(block);
}
void operator delete(void* block, size_t) noexcept { operator delete(block); }

int main() {
  struct Crate {
    char bytes[45];
  };
  delete new int;
  Crate* volatile crate = new Crate;
  delete crate;
  crate = new Crate;
  std::printf("%d made, %d freed\n", made, freed);
}
