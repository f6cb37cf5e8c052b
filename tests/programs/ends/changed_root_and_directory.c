// A program that leaves its directory, drops its environment and forbids itself new files is reported all the same; but what still leads to
// its blocks cannot be looked for.
// degraded: whether the program could still reach its blocks is not known
// verdict: incomplete
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void) {
  if (chdir("/") != 0) return 1;
  clearenv();
  umask(0777);
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_NOFILE, &none);
  void* volatile block = malloc(37);  // leak: 1 blocks 37 bytes malloc
  (void)block;
  return 0;
}
