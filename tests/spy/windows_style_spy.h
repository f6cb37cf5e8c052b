// What the test needs of the spy that is written as for Windows.
#pragma once

#include "spy/malloc_spy.h"

IMallocSpy* CreateLeakSpy();
ULONG LeakSpyLiveBlocks();
ULONG LeakSpyObjects();
