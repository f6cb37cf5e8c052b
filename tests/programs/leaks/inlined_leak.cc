// The leaking function is inlined into its caller and still stands on top.
// frame: 0 Innermost
// frame: 1 Physical()
#include <cstdlib>

static void* volatile kept;

[[gnu::always_inline]] static inline void Innermost() {
  kept = std::malloc(107);  // leak: 1 blocks 107 bytes malloc
}

[[gnu::noinline]] static void Physical() {
  Innermost();
  kept = nullptr;
}

int main() { Physical(); }
