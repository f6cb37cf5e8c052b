// Signals, forks and threads come and go while the process ends, and a filter forbids to copy it: the leak is listed, its class is unknown.
// degraded: whether the program could still reach its blocks is not known
// verdict: incomplete
// also: what a thread holds just then
// repeats: 3
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static atomic_int handled;
static atomic_int made;

static void Handle(int number) {
  free(malloc((size_t)number));
  ++handled;
}

static void* Short(void* unused) {
  free(malloc(300));
  ++made;
  return unused;
}

// A handler may allocate where it interrupts nothing that does.
static void* TakeSignals(void* timer) {
  pthread_sigmask(SIG_UNBLOCK, timer, NULL);
  for (volatile int i = 0;; ++i) continue;
  return timer;
}

static void* Make(void* unused) {
  for (pthread_t thread;;) {
    fork();  // denied
    if (pthread_create(&thread, NULL, Short, NULL) == 0) pthread_join(thread, NULL);
  }
  return unused;
}

int main(void) {
  const struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),  // so that libc uses clone, whose flags a filter can see
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_VM, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), (struct sock_filter*)filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    return 1;
  struct sigaction action = {.sa_handler = Handle, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  sigset_t timer;
  sigemptyset(&timer);
  sigaddset(&timer, SIGALRM);
  pthread_sigmask(SIG_BLOCK, &timer, NULL);
  const struct itimerval often = {{0, 1000}, {0, 1000}};
  setitimer(ITIMER_REAL, &often, NULL);
  pthread_t thread;
  pthread_create(&thread, NULL, TakeSignals, &timer);
  for (int i = 0; i < 2; ++i) pthread_create(&thread, NULL, Make, NULL);
  void* volatile lost = malloc(39);  // leak: 1 block 39 bytes malloc is unknown
  while (handled < 100 || made < 100) usleep(1000);
  return lost == NULL;
}
