#include <string>
#include <vector>

#include "tools/command/dispatch.h"

int main(int argc, char** argv) { return mallocspy::Dispatch(std::vector<std::string>(argv + 1, argv + argc)); }
