// Says that it is ready and waits. run_passes_through.py sends the signal, to `mallocspy run`.
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void Handle(int signal_number) { exit(signal_number); }

int main(void) {
  signal(SIGTERM, Handle);
  signal(SIGHUP, Handle);
  void* volatile block = malloc(43);  // leak: 1 blocks 43 bytes malloc
  (void)block;
  if (write(STDOUT_FILENO, "ready\n", 6) != 6) return 1;
  for (;;) pause();
}
