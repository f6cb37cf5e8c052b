// Tells beforehand whether libmallocspy.so can be preloaded into a program, by reading the file.
#pragma once

#include <string>

namespace mallocspy {

// Empty if the program can be recorded, or if its file says nothing against it; else why not, as the rest of a
// sentence about it ("is statically linked, so ..."). Scripts are judged by their interpreter.
std::string WhyNotRecordable(const std::string& path);

}  // namespace mallocspy
