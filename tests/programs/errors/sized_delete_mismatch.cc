// operator delete is told another size than operator new was.
#include <cstddef>
#include <new>

int main() {
  void* volatile block = ::operator new(27);
  ::operator delete (block, std::size_t{28});  // error: sized-delete-mismatch
  block = ::operator new[](100);
  ::operator delete[](block, std::size_t{1});  // error: sized-delete-mismatch
}
