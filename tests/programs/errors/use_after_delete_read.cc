// A member of a deleted object is read, by each door of C++: each place is told.
// library options: page_guard=1
#include <cstdint>

namespace {

struct alignas(64) Wide {
  int64_t numbers[16];
};

int64_t* volatile plain = nullptr;
int64_t* volatile array = nullptr;
Wide* volatile wide = nullptr;

}  // namespace

int main() {
  int64_t sum = 0;
  plain = new int64_t(0);
  delete plain;
  sum += *plain;  // error: use-after-free-read
  array = new int64_t[1000]();
  delete[] array;
  sum += array[999];  // error: use-after-free-read
  wide = new Wide();
  delete wide;
  sum += wide->numbers[15];  // error: use-after-free-read
  return static_cast<int>(sum);
}
