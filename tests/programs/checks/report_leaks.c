// A report of what was lost since a mark, by the command, into a descriptor. Silent and 0 without mallocspy, too.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocator/leak_check.h"

#pragma weak mallocspy_mark
#pragma weak mallocspy_report_leaks

static void* volatile sink;

static int Expect(int holds, int line) {
  if (!holds) printf("line %d does not hold\n", line);
  return holds ? 0 : 1;
}

static void Forget(void) {
  volatile char room[8192];
  memset((void*)room, 0, sizeof(room));
}

__attribute__((noinline)) static void LoseBefore(void) { sink = malloc(3); sink = NULL; }      // leak: 1 block 3 bytes malloc
__attribute__((noinline)) static void LoseInRequest(void) { sink = malloc(77); sink = NULL; }  // leak: 1 block 77 bytes malloc

// The report of what was made since `since`, in `text`; its status.
static int Report(uint64_t since, const char* const* arguments, char* text, size_t capacity) {
  FILE* file = tmpfile();
  const int status = mallocspy_report_leaks(since, arguments, fileno(file));
  lseek(fileno(file), 0, SEEK_SET);
  const ssize_t size = read(fileno(file), text, capacity - 1);
  text[size > 0 ? size : 0] = '\0';
  fclose(file);
  return status;
}

int main(void) {
  if (mallocspy_report_leaks == NULL) return 0;
  static char text[65536];
  int failures = 0;
  LoseBefore();
  uint64_t since = mallocspy_mark();
  Forget();
  failures += Expect(Report(since, NULL, text, sizeof(text)) == 0, __LINE__);
  failures += Expect(strstr(text, "clean") != NULL, __LINE__);
  LoseInRequest();
  Forget();
  failures += Expect(Report(since, NULL, text, sizeof(text)) == 23, __LINE__);
  failures += Expect(strstr(text, "LoseInRequest") != NULL && strstr(text, "LoseBefore") == NULL, __LINE__);
  failures += Expect(strstr(text, "when it was looked at") != NULL, __LINE__);
  const char* json[] = {"--format=json", NULL};
  failures += Expect(Report(0, json, text, sizeof(text)) == 23, __LINE__);
  failures += Expect(strstr(text, "LoseInRequest") != NULL && strstr(text, "LoseBefore") != NULL, __LINE__);
  failures += Expect(text[0] == '{' && strstr(text, "\"status\":\"leaks\"") != NULL, __LINE__);
  const char* lenient[] = {"--fail-on=none", NULL};
  failures += Expect(Report(since, lenient, text, sizeof(text)) == 0, __LINE__);
  return failures;
}
