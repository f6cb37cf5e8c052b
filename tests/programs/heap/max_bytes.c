// Below a ceiling of live bytes: what would go beyond fails and leaves everything as it was; what is freed makes room.
// library options: max_bytes=1000000
// plain: differs
// prints: 1 ENOMEM 1 kept 0 ENOMEM 1 1 1
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
  static char buffer[1000];
  setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
  char* first = malloc(600000);
  errno = 0;
  char* second = malloc(500000);
  const int after_malloc = errno;
  char* third = malloc(300000);
  memset(third, 5, 300000);
  errno = 0;
  char* larger = realloc(third, 500000);
  const int after_realloc = errno;
  const int kept = third[299999] == 5;
  free(first);
  char* now = realloc(third, 500000);
  char* aligned = aligned_alloc(4096, 400000);
  void* beyond = aligned_alloc(4096, 400000);
  printf("%d %s %d %s %d %s %d %d %d\n", first != NULL, second == NULL && after_malloc == ENOMEM ? "ENOMEM" : "?", third != NULL,
         kept ? "kept" : "lost", larger != NULL, after_realloc == ENOMEM ? "ENOMEM" : "?", now != NULL, aligned != NULL, beyond == NULL);
  free(now);
  free(aligned);
  return 0;
}
