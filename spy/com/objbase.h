// Windows keeps COM's functions here. Sources written for it compile on Linux when this folder is an include directory.
#pragma once

#include "spy/malloc_spy.h"

// Not in malloc_spy.h: on Linux it is a name that programs use.
#ifndef interface
#define interface struct
#endif
