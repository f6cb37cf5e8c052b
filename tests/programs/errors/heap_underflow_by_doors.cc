// Bytes in front of blocks are written; each door that meets such a block says so.
// The block that realloc leaves where it is is met again at the end.
// also: the blocks, whose records were destroyed
#include <cstdlib>
#include <new>

namespace {

void* Spoiled(void* block) {
  unsigned char* in_front = static_cast<unsigned char*>(block) - 3;
  *in_front = static_cast<unsigned char>(*in_front ^ 0x55);
  return block;
}

}  // namespace

int main() {
  ::operator delete(Spoiled(::operator new(40)));      // error: heap-underflow used new
  ::operator delete[](Spoiled(::operator new[](41)));  // error: heap-underflow used new[]
  void* volatile block = Spoiled(std::malloc(42));
  void* volatile moved = std::realloc(block, 100);  // error: heap-underflow used malloc
  return moved == nullptr ? 0 : 1;                  // error-at-exit: heap-underflow
}
