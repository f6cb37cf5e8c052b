// A library whose blocks others free.
#include <stdlib.h>
#include <string.h>

char* MakeGreeting(void) { return strcpy(malloc(21), "hello"); }
