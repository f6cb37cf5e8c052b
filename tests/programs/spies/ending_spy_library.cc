// A spy that never comes to be: its code ends the process while it is loaded. The arguments say how; to end it in a
// constructor there is the environment.
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spy/malloc_spy.h"

namespace {

__attribute__((constructor)) void Construct() {
  if (getenv("END_IN_CONSTRUCTOR") != nullptr) exit(0);
}

}  // namespace

extern "C" HRESULT MallocSpyCreate(const char* arguments, IMallocSpy**) {
  if (strcmp(arguments, "exit") == 0) exit(0);
  if (strcmp(arguments, "_exit") == 0) _exit(9);
  if (strcmp(arguments, "throw") == 0) throw 1;
  if (strcmp(arguments, "crash") == 0) *static_cast<volatile int*>(nullptr) = 1;
  if (strcmp(arguments, "kill") == 0) kill(getpid(), SIGKILL);
  return E_INVALIDARG;
}
