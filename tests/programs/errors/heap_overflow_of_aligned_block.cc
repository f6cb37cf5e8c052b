// One byte behind blocks of aligned_alloc and of operator new[] with an alignment.
#include <cstdlib>
#include <new>

int main() {
  char* volatile block = static_cast<char*>(std::aligned_alloc(256, 256));
  block[256] = 1;
  std::free(block);  // error: heap-overflow
  block = static_cast<char*>(::operator new[](50, std::align_val_t(64)));
  block[50] = 0;
  ::operator delete[](block, std::align_val_t(64));  // error: heap-overflow
  return 0;
}
