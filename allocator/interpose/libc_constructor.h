// libc's own constructors, run ahead of their turn.
#pragma once

namespace mallocspy {

// Our library is marked "initialize first", so it is constructed before libc. It must load others then (the unwinder,
// the spies), and dlopen would construct libc as their dependency, with the arguments that only libc's constructor remembers: none. So
// libc's constructors are called here with the right ones; the loader calls them again in their turn. They take that: they
// store the arguments, the environment and the program's name (glibc, csu/init-first.c). Nothing if libc is constructed already.
void ConstructLibcEarly(int count, char** arguments, char** environment);

}  // namespace mallocspy
