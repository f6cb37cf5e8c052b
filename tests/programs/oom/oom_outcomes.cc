// A program whose first argument chooses what it does when an allocation fails.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

namespace {

// Allocates twice; what becomes of a failure is told by the name.
__attribute__((noinline)) int Handled() {
  void* first = malloc(100);
  if (first == nullptr) return 3;
  void* second = malloc(200);
  free(second);
  free(first);
  return second == nullptr ? 3 : 0;
}

__attribute__((noinline)) char* Unchecked(size_t bytes) {
  char* block = static_cast<char*>(malloc(bytes));
  block[bytes - 1] = 1;
  return block;
}
__attribute__((noinline)) int Crashes() {
  free(Unchecked(300));
  return Handled();
}

__attribute__((noinline)) int Throws() {
  std::string* text = new std::string(1000, 'x');
  delete text;
  return 0;
}

__attribute__((noinline)) int Hangs() {
  void* block = malloc(400);
  while (block == nullptr) pause();
  free(block);
  return 0;
}

__attribute__((noinline)) int Leaks() {
  void* first = malloc(100);
  void* second = malloc(200);
  if (second == nullptr) return 3;
  free(second);
  free(first);
  return 0;
}

__attribute__((noinline)) int Misuses() {
  void* first = malloc(100);
  void* second = first != nullptr ? malloc(200) : nullptr;
  if (second == nullptr) free(first);
  free(first);
  free(second);
  return 0;
}

__attribute__((noinline)) int InThread() {
  int status = 0;
  std::thread([&status] { status = Handled(); }).join();
  return status;
}

int InChild() {
  const pid_t child = fork();
  if (child == 0) _exit(Handled() == 0 ? 0 : 1);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 9;
}

// Ends with the sum of what it reads.
int Reads() {
  int sum = 0;
  char line[64];
  void* block = malloc(500);
  while (fgets(line, sizeof(line), stdin) != nullptr) sum += atoi(line);
  free(block);
  return sum;
}

// Who ignores its children's ends is not told of them.
int IgnoresChildren() {
  signal(SIGCHLD, SIG_IGN);
  free(Unchecked(700));
  return 0;
}

int SaysRun() {
  void* block = malloc(600);
  free(block);
  const char* run = getenv("OOM_RUN");
  return run != nullptr ? 40 + atoi(run) : 9;
}

}  // namespace

int main(int argc, char** argv) {
  static char buffer[1024];
  setvbuf(stdin, buffer, _IOFBF, sizeof(buffer));
  const char* what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "handled") == 0) return Handled();
  if (strcmp(what, "crashes") == 0) return Crashes();
  if (strcmp(what, "throws") == 0) return Throws();
  if (strcmp(what, "hangs") == 0) return Hangs();
  if (strcmp(what, "leaks") == 0) return Leaks();
  if (strcmp(what, "misuses") == 0) return Misuses();
  if (strcmp(what, "in thread") == 0) return InThread();
  if (strcmp(what, "in child") == 0) return InChild();
  if (strcmp(what, "reads") == 0) return Reads();
  if (strcmp(what, "ignores children") == 0) return IgnoresChildren();
  if (strcmp(what, "says run") == 0) return SaysRun();
  if (strcmp(what, "dies") == 0) raise(SIGKILL);
  return 0;
}
