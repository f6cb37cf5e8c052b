// daemon(): the process that called it ends well, and the one that goes on has its own report.
// prints: session 1 root 1 null 1 / session 1 root 0 null 0
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int IsNull(void) {
  struct stat null, file;
  stat("/dev/null", &null);
  for (int fd = 0; fd <= 2; ++fd) {
    if (fstat(fd, &file) != 0 || file.st_rdev != null.st_rdev) return 0;
  }
  return 1;
}

static void Become(int keep_directory, int keep_files, int answer) {
  if (chdir("/tmp") != 0 || daemon(keep_directory, keep_files) != 0) _exit(1);
  char folder[64] = "";
  if (getcwd(folder, sizeof(folder)) == NULL) _exit(2);
  char* text = malloc(191);  // child-leak: 2 blocks 382 bytes malloc
  snprintf(text, 191, "session %d root %d null %d", getsid(0) == getpid(), strcmp(folder, "/") == 0, IsNull());
  if (write(answer, text, strlen(text)) < 0) _exit(3);
  _exit(0);
}

// What the daemon says, once it is gone.
static int Ask(int keep_directory, int keep_files) {
  int ends[2];
  if (pipe(ends) != 0) return 1;
  const pid_t child = fork();
  if (child == 0) Become(keep_directory, keep_files, ends[1]);
  close(ends[1]);
  int status = -1;
  waitpid(child, &status, 0);
  char text[200];
  ssize_t got;
  while ((got = read(ends[0], text, sizeof(text))) > 0) {
    if (write(STDOUT_FILENO, text, (size_t)got) != got) return 2;
  }
  close(ends[0]);
  return status;
}

int main(void) {
  if (Ask(0, 0) != 0 || write(STDOUT_FILENO, " / ", 3) != 3 || Ask(1, 1) != 0) return 1;
  return write(STDOUT_FILENO, "\n", 1) == 1 ? 0 : 2;
}
