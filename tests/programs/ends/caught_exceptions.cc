// Exceptions thrown through many frames and caught, from threads as well: nothing leaks.
#include <stdexcept>
#include <string>
#include <thread>

static int Descend(int depth) {
  const std::string local(static_cast<size_t>(depth) * 10, 'x');
  if (depth == 40) throw std::runtime_error(local);
  return Descend(depth + 1) + static_cast<int>(local.size());
}

static void CatchMany() {
  for (int i = 0; i < 200; ++i) {
    try {
      Descend(0);
    } catch (const std::runtime_error&) {
    }
  }
}

int main() {
  std::thread other(CatchMany);
  CatchMany();
  other.join();
}
