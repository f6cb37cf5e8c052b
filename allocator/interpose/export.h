// What a door looks like to the loader: visible, and never inlined, so that its return address is the program's call.
#pragma once

#define MALLOCSPY_DOOR __attribute__((visibility("default"), noinline, used))
