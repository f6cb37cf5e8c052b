// A snapshot file, read anew whenever it has changed.
#pragma once

#include <string>

#include "tools/page/heap_source.h"

namespace mallocspy {

HeapSource HeapOfFile(const std::string& path);

}  // namespace mallocspy
