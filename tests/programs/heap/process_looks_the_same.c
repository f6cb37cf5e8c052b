// What a program can see of its own process: descriptors, threads, signal mask and handlers, limits, its stack's flags.
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void) {
  free(malloc(100));
  printf("next descriptor %d\n", open("/dev/null", O_RDONLY));
  int threads = 0;
  DIR* tasks = opendir("/proc/self/task");
  while (readdir(tasks) != NULL) ++threads;
  closedir(tasks);
  printf("threads %d, umask %o\n", threads - 2, umask(0));
  sigset_t blocked;
  pthread_sigmask(SIG_BLOCK, NULL, &blocked);
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    if (sigaction(number, NULL, &action) == 0 && (action.sa_handler != SIG_DFL || sigismember(&blocked, number) == 1)) {
      printf("signal %d handler %d flags %x\n", number, action.sa_handler != SIG_DFL, (unsigned)action.sa_flags);
    }
  }
  stack_t alternate;
  sigaltstack(NULL, &alternate);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  printf("alternate stack %d, files %lu\n", alternate.ss_flags, (unsigned long)files.rlim_cur);
  return 0;
}
