// The program's own handlers of SIGSEGV are called for its own faults, as it asked for them, and it never sees ours.
// library options: page_guard=1
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // sigset

static sigjmp_buf back;
static volatile sig_atomic_t calls = 0;
static char* page;
static char* low;
static char* high;
static volatile sig_atomic_t wrong = 0;

static void Repair(int number, siginfo_t* info, void* context) {
  (void)context;
  char here;
  sigset_t mask;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  if (number != SIGSEGV || info->si_addr != page || info->si_code != SEGV_ACCERR) wrong = 1;
  if (&here < low || &here >= high) wrong = 2;
  if (!sigismember(&mask, SIGSEGV) || !sigismember(&mask, SIGUSR1) || sigismember(&mask, SIGUSR2)) wrong = 3;
  ++calls;
  mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static void Jump(int number) {
  (void)number;
  ++calls;
  siglongjmp(back, 1);
}

static void Count(int number) {
  (void)number;
  ++calls;
}

int main(void) {
  struct sigaction now;
  if (sigaction(SIGSEGV, NULL, &now) != 0 || now.sa_handler != SIG_DFL) return 1;
  page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  low = malloc(65536);
  high = low + 65536;
  const stack_t stack = {.ss_sp = low, .ss_size = 65536};
  sigaltstack(&stack, NULL);
  struct sigaction action = {.sa_sigaction = Repair, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaddset(&action.sa_mask, SIGUSR1);
  sigaction(SIGSEGV, &action, NULL);
  if (sigaction(SIGSEGV, NULL, &now) != 0 || now.sa_sigaction != Repair || now.sa_flags != action.sa_flags) return 2;
  *page = 1;
  if (calls != 1 || wrong != 0) return 10 + wrong;

  const char* volatile freed = malloc(16);
  free((void*)freed);
  volatile char sum = freed[0];  // error: use-after-free-read
  if (calls != 1 || sum != 0) return 3;

  if ((void*)signal(SIGSEGV, Jump) != (void*)Repair) return 4;
  char* volatile nowhere = NULL;
  for (int i = 0; i < 3; ++i) {
    if (sigsetjmp(back, 1) == 0) *nowhere = 1;
  }
  if (calls != 4) return 5;
  if (sigset(SIGSEGV, Count) != Jump) return 6;
  raise(SIGSEGV);
  if (sigset(SIGSEGV, SIG_HOLD) != Count || sigset(SIGSEGV, SIG_IGN) != SIG_HOLD) return 7;
  raise(SIGSEGV);
  if (calls != 5) return 8;
  if (signal(SIGSEGV, SIG_DFL) != SIG_IGN) return 9;
  const char* volatile other = malloc(16);
  free((void*)other);
  sum = other[1];  // error: use-after-free-read
  sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
  free(low);
  return sum;
}
