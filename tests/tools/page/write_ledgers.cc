// Writes ledgers for tests of the page in a browser: write_ledgers FOLDER [STACKS]
#include <cstdlib>
#include <fstream>

#include "tests/tools/page/page_ledgers.h"

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const std::string folder = argv[1];
  const auto stacks = static_cast<uint32_t>(argc > 2 ? std::atoi(argv[2]) : 3000);
  std::ofstream(folder + "/hostile.mspy", std::ios::binary) << mallocspy::HostileLedger();
  std::ofstream(folder + "/large.mspy", std::ios::binary) << mallocspy::LargeLedger(stacks);
  return 0;
}
