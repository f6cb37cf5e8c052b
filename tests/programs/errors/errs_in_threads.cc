// Threads that err one after another, each in its own way; the stacks are those of the threads.
#include <cstdlib>
#include <thread>

namespace {

template <typename Err>
void InThread(Err err) {
  std::thread(err).join();
}

}  // namespace

int main() {
  InThread([] {
    char* volatile block = static_cast<char*>(std::malloc(80));  // at: first
    block[80] = 1;
    std::free(block);  // error: heap-overflow size 80 value 80 made malloc allocated first
  });
  InThread([] {
    int* volatile array = new int[5];  // at: second
    ::operator delete(array);  // error: mismatched-free size 20 made new[] used new allocated second
  });
  InThread([] {
    int local[4];
    int* volatile on_stack = local;
    std::free(on_stack);  // error: invalid-free
  });
  void* block = std::malloc(81);  // at: third
  InThread([block] {
    void* volatile inside = static_cast<char*>(block) + 9;
    std::free(inside);  // error: invalid-free size 81 value 9 made malloc allocated third
  });
  std::free(block);
}
