// What malloc made, freed through other doors.
#include <cstdlib>
#include <new>

int main() {
  void* volatile block;
  block = std::malloc(8);
  delete static_cast<char*>(block);  // error: mismatched-free
  block = std::malloc(8);
  delete[] static_cast<char*>(block);  // error: mismatched-free
}
