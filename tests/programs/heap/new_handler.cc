// operator new calls the new handler until it gives up.
#include <cstdint>
#include <cstdio>
#include <new>

static int calls;

int main() {
  std::set_new_handler([] {
    if (++calls == 3) std::set_new_handler(nullptr);
  });
  const volatile size_t bytes = PTRDIFF_MAX;
  try {
    std::printf("%p\n", ::operator new(bytes));
  } catch (const std::bad_alloc&) {
    std::printf("bad_alloc after %d calls\n", calls);
  }
}
