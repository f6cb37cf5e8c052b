// What static objects and functions given to atexit free is no leak.
#include <cstdlib>
#include <string>
#include <vector>

static std::vector<std::string> names;
static void* block;

struct Owner {
  int* value = new int[25];
  ~Owner() { delete[] value; }
};

static Owner owner;

int main() {
  for (int i = 0; i < 100; ++i) names.push_back(std::string(static_cast<size_t>(i), 'x'));
  block = std::malloc(101);
  std::atexit([] { std::free(block); });
}
