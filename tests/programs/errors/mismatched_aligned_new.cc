// What aligned new made, freed through other doors.
#include <cstdlib>
#include <new>

int main() {
  void* volatile block;
  block = ::operator new(64, std::align_val_t(64));
  std::free(block);  // error: mismatched-free
  block = ::operator new(64, std::align_val_t(64));
  ::operator delete(block);  // error: mismatched-free
  block = ::operator new(64, std::align_val_t(64));
  ::operator delete[](block, std::align_val_t(64));  // error: mismatched-free
}
