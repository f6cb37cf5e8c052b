// What is in the quarantine at the end is looked at, too; also blocks of new[] and of aligned doors, and what a resize moved away from.
// library options: quarantine_mb=16
// error-at-exit: use-after-free-write
#include <cstdlib>
#include <cstring>
#include <new>

int main() {
  char* volatile array = new char[64];
  delete[] array;
  array[63] = 7;
  char* volatile aligned = static_cast<char*>(std::aligned_alloc(256, 512));
  std::free(aligned);
  aligned[0] = 7;
  char* volatile before = static_cast<char*>(std::malloc(30));
  char* after = static_cast<char*>(std::realloc(before, 3000));
  before[30] = 7;  // where its guard was
  std::free(after);
  char* volatile front = static_cast<char*>(std::malloc(10));
  std::free(front);
  front[-1] = 7;
  return 0;
}
