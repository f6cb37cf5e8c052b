// Sizes for people: exact ones stand beside them wherever somebody may count.
#pragma once

#include <cstdint>
#include <string>

namespace mallocspy {

// "0", "999", "1.0K", "73.5M", "1.2G": units of 1000, at most five characters; "-1.0K" for negative ones.
std::string SizeText(int64_t number);

}  // namespace mallocspy
