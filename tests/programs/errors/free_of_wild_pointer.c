// Addresses where nothing is.
#include <stdlib.h>

int main(void) {
  free((void*)0x10);                // error: invalid-free
  free((void*)0x7fff12345670);      // error: invalid-free
  free((void*)0xffff800000001230);  // error: invalid-free
  return 0;
}
