// Whose a program is: the user's own, whose leaks are his business, or a tool of the system that only helped to run it.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/reader/snapshot.h"

namespace mallocspy {

// In a folder that belongs to the distribution: /usr/bin, /lib, a package store. Not /usr/local, /usr/src or /opt.
bool IsSystemPath(absl::string_view path);

// A shell, an interpreter, a compiler or what builds and runs tests (sh, python3.11, make, ctest, gcc-12 ...): it makes
// and runs the user's programs and is none. It lies in one of the system's folders, or in another one named bin.
bool IsDriver(absl::string_view path);

// Libraries that the process loaded from outside of the system's folders and of its own program's installation, once
// each, without libmallocspy: an extension module of the user's in python3, say.
std::vector<std::string> OwnLibraries(const Snapshot& snapshot);

}  // namespace mallocspy
