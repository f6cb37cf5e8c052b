// What aligned malloc made, freed through other doors.
#include <cstdlib>
#include <new>

int main() {
  void* volatile block;
  block = aligned_alloc(64, 64);
  ::operator delete(block);  // error: mismatched-free
  block = aligned_alloc(64, 64);
  ::operator delete(block, std::align_val_t(64));  // error: mismatched-free
}
