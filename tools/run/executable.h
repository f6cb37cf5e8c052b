// Tells beforehand whether a program can be executed, and libmallocspy.so preloaded into it, by reading the file.
#pragma once

#include <string>

namespace mallocspy {

// Empty if the program can be recorded, or if its file says nothing against it; else why not, as the rest of a
// sentence about it ("is statically linked, so ..."). Scripts are judged by their interpreter.
std::string WhyNotRecordable(const std::string& path);

// Empty if the kernel may be able to execute the file; else why not, as a whole sentence's end ("it is a truncated ELF
// file").
std::string WhyNotExecutable(const std::string& path);

}  // namespace mallocspy
