// A leak check of a process that goes on. The functions of allocator/leak_check.h, with the place of the call.
#pragma once

#include <cstdint>

#include "allocator/leak_check.h"
#include "allocator/snapshot/roots.h"

namespace mallocspy {

// Fills `found`; its error, too.
void CheckLeaksNow(const ProgramPoint& self, uint64_t since, mallocspy_leaks* found);

// See mallocspy_report_leaks().
int ReportLeaksNow(const ProgramPoint& self, uint64_t since, const char* const* arguments, int output);

}  // namespace mallocspy
