// The bare system call, which no library sees: the report comes from the ledger.
// degraded: status 8
// verdict: incomplete
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void Leak(void) {
  for (int i = 0; i < 3; ++i) {
    void* volatile block = malloc(27);  // leak: 3 blocks 81 bytes malloc
    (void)block;
  }
}

int main(void) {
  Leak();
  syscall(SYS_exit_group, 8);  // exit: 8
}
