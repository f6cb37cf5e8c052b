// What new[] made, freed through other doors.
#include <cstdlib>
#include <new>

int main() {
  void* volatile block;
  block = new char[8];
  std::free(block);  // error: mismatched-free
  block = new char[8];
  delete static_cast<char*>(block);  // error: mismatched-free
}
