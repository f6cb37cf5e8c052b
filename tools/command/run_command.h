// `mallocspy run [options] -- PROGRAM ARG...`
#pragma once

#include <string>
#include <vector>

namespace mallocspy {

// `arguments` are those behind "run". The exit status; does not return if the program was killed by a signal, which
// then kills this process as well.
int RunCommand(const std::vector<std::string>& arguments);

}  // namespace mallocspy
