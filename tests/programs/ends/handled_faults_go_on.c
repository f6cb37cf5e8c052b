// A program that handles its own SIGSEGV by leaving the handler with siglongjmp goes on, and stays recorded.
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>

static sigjmp_buf back;

static void Handle(int signal_number) { siglongjmp(back, signal_number); }

int main(void) {
  signal(SIGSEGV, Handle);
  for (volatile int i = 0; i < 100; ++i) {
    void* volatile block = malloc(39);  // leak: 100 blocks 3900 bytes malloc
    (void)block;
    int* volatile nowhere = NULL;
    if (sigsetjmp(back, 1) == 0) *nowhere = 1;
  }
  return 0;
}
