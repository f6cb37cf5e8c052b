// An exec that fails returns, and the program goes on being recorded.
#include <stdlib.h>
#include <unistd.h>

int main(void) {
  void* volatile before = malloc(107);  // leak: 1 blocks 107 bytes malloc
  execl("/nonexistent/program", "program", (char*)NULL);
  execlp("no-such-program-anywhere", "program", (char*)NULL);
  void* volatile after = malloc(109);  // leak: 1 blocks 109 bytes malloc
  (void)before, (void)after;
  return 0;
}
