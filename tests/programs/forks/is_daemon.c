// The first process itself calls daemon(): it ended well, and what goes on is told of.
// child verdict: incomplete
#include <unistd.h>

int main(void) {
  if (daemon(0, 0) != 0) return 1;
  sleep(5);
  return 0;
}
