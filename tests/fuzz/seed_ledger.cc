// Writes a small ledger, for the fuzzer to start from: seed_ledger FILE
#include <cstdio>
#include <fstream>

#include "tests/tools/ledger_builder.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: seed_ledger FILE\n", stderr);
    return 2;
  }
  namespace ledger = mallocspy::ledger;
  mallocspy::LedgerBuilder builder;
  builder.SetProgram("/bin/prog", {"prog", "arg"});
  const uint32_t program = builder.AddModule("/bin/prog", "\x01\x02", 0x400000, ledger::kModuleExecutable);
  const uint32_t self = builder.AddModule("/lib/libmallocspy.so", "", 0x7e0000000000, ledger::kModuleSelf);
  const uint32_t stack = builder.AddStack({{self, 1}, {program, 2}, {program, 3}}, mallocspy::Door::kMalloc);
  builder.CountAllocations(stack, 3, 30);
  builder.CountFrees(stack, 2, 20);
  builder.AddBlock(stack, 0x5000, 40, 2);
  builder.AddThread(1, "prog");
  builder.AddError(ledger::ErrorKind::kSpyContract).detail = builder.AddString("said too little");
  builder.End(ledger::End::kExit, 0);
  std::ofstream(argv[1], std::ios::binary) << builder.Bytes();
  return 0;
}
