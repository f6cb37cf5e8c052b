// measure [NAME=VALUE...] PROGRAM ARG...: runs it with these variables and writes one line of JSON about the whole
// process tree to file descriptor 3.
//
// A program of its own, because what starts a process lends it its own peak RSS: started from here the floor is one
// megabyte, started from an interpreter it would be the interpreter's size.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double Seconds(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec * 1e-6; }

static double Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int main(int argc, char** argv) {
  char** program = argv + 1;
  while (*program != NULL && strchr(*program, '=') != NULL) ++program;
  if (argc < 2 || *program == NULL) {
    fprintf(stderr, "usage: measure [NAME=VALUE...] PROGRAM ARG... 3>RESULT\n");
    return 2;
  }
  // Descendants whose parent ended come to this process, so that their CPU time is counted too.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const double start = Now();
  const pid_t child = fork();
  if (child < 0) {
    fprintf(stderr, "measure: cannot fork: %s\n", strerror(errno));
    return 125;
  }
  if (child == 0) {
    close(3);
    for (char** variable = argv + 1; variable < program; ++variable) putenv(*variable);
    execvp(*program, program);
    fprintf(stderr, "measure: cannot start %s: %s\n", *program, strerror(errno));
    _exit(127);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const double wall = Now() - start;
  for (int other; wait(&other) > 0 || errno == EINTR;) {
  }
  struct rusage tree;
  getrusage(RUSAGE_CHILDREN, &tree);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  dprintf(3, "{\"exit\": %d, \"wall_s\": %.6f, \"cpu_s\": %.6f, \"peak_rss_kb\": %ld, \"written_bytes\": %ld}\n", code,
          wall, Seconds(tree.ru_utime) + Seconds(tree.ru_stime), tree.ru_maxrss, tree.ru_oublock * 512);
  return code;
}
