// What the fault spy's tests run: allocates through many doors and says what became of each.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>

extern "C" __attribute__((weak)) unsigned long mallocspy_mark(void);

namespace {

int handler_calls = 0;

void Handler() {
  ++handler_calls;
  if (handler_calls == 2) std::set_new_handler(nullptr);
}

void Say(const char* what, bool got) { printf("%s %s\n", what, got ? "ok" : errno == ENOMEM ? "ENOMEM" : "failed"); }

__attribute__((noinline)) void Inner(const char* what) {
  errno = 0;
  void* block = malloc(24);
  Say(what, block != nullptr);
  free(block);
}
__attribute__((noinline)) void Chosen(const char* what) {
  Inner(what);
  asm volatile("");
}

// Each door in turn, of which some fail.
__attribute__((noinline)) void Doors() {
  errno = 0;
  void* block = calloc(3, 8);
  Say("calloc", block != nullptr);
  free(block);
  errno = 0;
  block = aligned_alloc(64, 64);
  Say("aligned_alloc", block != nullptr);
  free(block);
  const int error = posix_memalign(&block, 64, 64);
  printf("posix_memalign %s\n", error == 0 ? "ok" : error == ENOMEM ? "ENOMEM" : "failed");
  if (error == 0) free(block);
  block = malloc(16);
  if (block != nullptr) memset(block, 7, 16);
  errno = 0;
  void* larger = realloc(block, 1600);
  Say("realloc", larger != nullptr);
  if (larger == nullptr && block != nullptr) printf("kept %d\n", static_cast<char*>(block)[15]);
  free(larger != nullptr ? larger : block);
  try {
    int* volatile number = new int;  // else the compiler may leave both out
    delete number;
    printf("new ok\n");
  } catch (const std::bad_alloc&) {
    printf("new threw\n");
  }
  int* plain = new (std::nothrow) int;
  printf("nothrow %s\n", plain != nullptr ? "ok" : "null");
  delete plain;
  handler_calls = 0;
  std::set_new_handler(Handler);
  try {
    char* volatile text = new char[5];
    delete[] text;
    printf("new[] ok after %d\n", handler_calls);
  } catch (const std::bad_alloc&) {
    printf("new[] threw after %d\n", handler_calls);
  }
  std::set_new_handler(nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  setvbuf(stdout, nullptr, _IONBF, 0);
  const char* what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "doors") == 0) Doors();
  if (strcmp(what, "calls") == 0) {
    for (int i = 1; i <= 6; ++i) {
      char name[16];
      snprintf(name, sizeof(name), "call %d", i);
      Inner(name);
    }
    Chosen("chosen");
  }
  if (strcmp(what, "mark") == 0) {
    Inner("before");
    if (mallocspy_mark != nullptr) mallocspy_mark();
    Inner("after");
  }
  if (strcmp(what, "fork") == 0) {
    Inner("parent");
    if (fork() == 0) {
      Inner("child");
      _exit(0);
    }
    int status;
    wait(&status);
    Inner("parent again");
  }
  return 0;
}
