// Writes a snapshot for `mallocspy explore`:
//
//   write_heap FILE           the small one of sample_heap.h
//   write_heap FILE BLOCKS    a large one: write_heap large.mspy 5000000
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "tests/tools/explore/sample_heap.h"

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: write_heap FILE [BLOCKS]\n", stderr);
    return 2;
  }
  mallocspy::LedgerBuilder ledger =
      argc > 2 ? mallocspy::LargeHeap(static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10))) : mallocspy::SampleHeap();
  std::ofstream file(argv[1], std::ios::binary);
  file << ledger.Bytes();
  return file.flush().good() ? 0 : 1;
}
