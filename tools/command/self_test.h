// `mallocspy run --self-test`: does what a user does, with a program whose leaks are known, and holds the report
// against them.
#pragma once

namespace mallocspy {

// Prints a checklist on standard output. 0 if a leak is found on this machine, else kExitIncomplete with what to do.
int SelfTest();

}  // namespace mallocspy
