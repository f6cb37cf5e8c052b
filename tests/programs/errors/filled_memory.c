// New memory and freed memory hold what nobody takes for data; zeroed memory is zero.
// library options: fill=1
// plain: differs
// prints: cdcdcdcd 00000000 cdcdcdcd dfdfdfdf
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned Word(const void* memory) {
  unsigned word;
  memcpy(&word, memory, sizeof(word));
  return word;
}

int main(void) {
  static char buffer[1000];
  setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
  char* made = malloc(64);
  char* zeroed = calloc(1, 64);
  char* grown = realloc(malloc(8), 640);
  const unsigned words[] = {Word(made), Word(zeroed), Word(grown + 100)};
  char* volatile freed = made;
  free(made);
  printf("%08x %08x %08x %08x\n", words[0], words[1], words[2], Word(freed + 32));
  free(zeroed);
  free(grown);
  return 0;
}
