// The errors that C++'s doors can meet, each with size, doors and stacks.
#include <cstdlib>
#include <new>

namespace {

void* Make(std::size_t bytes) {
  return ::operator new(bytes);  // at: made
}
void* MakeArray(std::size_t bytes) {
  return ::operator new[](bytes);  // at: array
}

int global[20];

}  // namespace

int main() {
  void* volatile block = Make(30);
  std::free(block);  // error: mismatched-free size 30 made new used malloc allocated made
  block = Make(31);
  ::operator delete[](block);  // error: mismatched-free size 31 made new used new[] allocated made
  block = MakeArray(32);
  ::operator delete(block);  // error: mismatched-free size 32 made new[] used new allocated array
  block = std::malloc(33);  // at: malloc
  ::operator delete(block);  // error: mismatched-free size 33 made malloc used new allocated malloc
  block = Make(34);
  block = std::realloc(block, 340);  // error: mismatched-free size 34 made new used malloc allocated made
  std::free(block);
  block = Make(35);
  ::operator delete(block, std::size_t{36});  // error: sized-delete-mismatch size 35 value 36 made new used new allocated made
  block = ::operator new(64, std::align_val_t(64));  // at: aligned
  ::operator delete(block, std::align_val_t(128));  // error: bad-alignment size 64 value 128 allocated aligned
  block = ::operator new[](64, std::align_val_t(64));
  ::operator delete[](block, std::size_t{65}, std::align_val_t(64));  // error: sized-delete-mismatch size 64 value 65
  int local = 0;
  block = &local;
  ::operator delete(block);  // error: invalid-free used new
  block = &global[2];
  ::operator delete[](block);  // error: invalid-free used new[]
  block = MakeArray(37);
  void* volatile inside = static_cast<char*>(block) + 5;
  ::operator delete(inside);  // error: invalid-free size 37 value 5 made new[] used new allocated array
  static_cast<volatile char*>(block)[37] = 1;
  ::operator delete[](block);  // error: heap-overflow size 37 value 37 made new[] allocated array
  block = Make(38);
  ::operator delete(block);
  ::operator delete(block, std::size_t{38});  // error: double-free used new
}
