// starts_filtered WHAT PROGRAM ARG...: becomes PROGRAM, with a filter that forbids it and all that it starts one thing:
// to copy itself as mallocspy does (copy), to be forked (fork), to signal threads (signal).
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// The call `number`, but for those whose first argument has a bit of `allowed` or, if that is 0, is not 0.
static void Forbid(unsigned number, int only_zero, unsigned allowed) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, !only_zero ? 0 : 2),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, allowed, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  if (strcmp(argv[1], "copy") == 0) Forbid(SYS_clone, 1, 0);
  if (strcmp(argv[1], "fork") == 0) Forbid(SYS_clone, 0, CLONE_VM);
  if (strcmp(argv[1], "signal") == 0) Forbid(SYS_tgkill, 0, 0);
  execv(argv[2], argv + 2);
  perror(argv[2]);
  return 127;
}
