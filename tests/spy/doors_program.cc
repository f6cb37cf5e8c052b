// Knocks at each door with a size of its own, so that a spy's log shows which call was which. Prints nothing; the
// test reads what the spy saw. Knows nothing of mallocspy.
#include <malloc.h>
#include <stdlib.h>

#include <new>

namespace {

// The compiler must not know that a block is unused.
void* volatile kept;
template <typename T>
T* Keep(T* block) {
  kept = block;
  return static_cast<T*>(kept);
}

}  // namespace

int main() {
  free(Keep(malloc(100001)));
  free(Keep(calloc(1, 100003)));
  free(Keep(aligned_alloc(64, 100032)));
  void* block = nullptr;
  if (posix_memalign(&block, 128, 100005) != 0) return 1;
  free(Keep(block));
  free(Keep(memalign(256, 100007)));
  ::operator delete(Keep(::operator new(100009)));
  ::operator delete[](Keep(::operator new[](100011)));
  ::operator delete(Keep(::operator new(100013, std::nothrow)), std::nothrow);
  ::operator delete (Keep(::operator new (100015, std::align_val_t{64})), std::align_val_t{64});
  char* resized = Keep(static_cast<char*>(realloc(nullptr, 100017)));
  resized = Keep(static_cast<char*>(realloc(resized, 100019)));
  resized = Keep(static_cast<char*>(reallocarray(resized, 1, 100021)));
  if (malloc_usable_size(resized) != 100021) return 1;
  malloc_trim(0);
  return Keep(realloc(resized, 0)) == nullptr ? 0 : 1;
}
