// Functions of libc that allocate for the caller, or for themselves and give it back.
#include <dirent.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
  setlocale(LC_ALL, "");
  char* text = NULL;
  if (asprintf(&text, "%0500d", 7) < 0) return 1;
  free(text);
  size_t bytes = 0;
  FILE* memory = open_memstream(&text, &bytes);
  for (int i = 0; i < 1000; ++i) fprintf(memory, "%d ", i);
  fclose(memory);
  free(text);
  FILE* file = fopen("/proc/self/status", "r");
  char* line = NULL;
  size_t room = 0;
  while (getline(&line, &room, file) > 0) {
  }
  free(line);
  fclose(file);
  free(realpath("/proc/self/..", NULL));
  struct dirent** entries = NULL;
  for (int i = scandir("/", &entries, NULL, alphasort); i > 0;) free(entries[--i]);
  free(entries);
  free(strndup("abcdef", 3));
  printf("done\n");
  return 0;
}
