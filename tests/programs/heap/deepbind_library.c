// What deepbind.c loads.
#include <stdlib.h>

void* MakeInLibrary(void) { return malloc(31); }  // leak: 1 blocks 31 bytes malloc
