// Which calls explain references that were never released.
#pragma once

#include <vector>

#include "tools/verdict/findings.h"

namespace mallocspy {

// Puts those first whose functions took more references than they gave back. A function that takes at one line and gives back at another is
// even: what counts is who called AddRef and Release, not from which line.
void OrderByBalance(std::vector<ReferenceCall>* calls);

}  // namespace mallocspy
