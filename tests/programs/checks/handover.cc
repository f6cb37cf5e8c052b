// Frees what a library made, what it made itself, and one block through another door.
#include <cstdlib>

extern "C" char* MakeGreeting();

int main() {
  for (int i = 0; i < 3; ++i) std::free(MakeGreeting());
  void* volatile own = std::malloc(10);
  own = std::realloc(own, 20);
  std::free(own);
  int* volatile number = new int(4);
  std::free(number);  // error: mismatched-free
  return 0;
}
