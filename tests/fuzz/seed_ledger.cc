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
  builder.AddBlock(stack, 0x6000, 64, 3, 0, ledger::Reach::kReachable, builder.AddRoot(ledger::RootKind::kGlobal, 0, 0x400100));
  builder.AddType(program, 0x80);
  builder.AddBlock(stack, 0x7000, 24, 3, 0, ledger::Reach::kDefinite);
  builder.last_block().shape = ledger::Shape::kListNode;
  builder.AddRootReference(ledger::RootKind::kGlobal, 0, 0x400100, 1);
  builder.AddRootReference(ledger::RootKind::kStack, 1, 0x7fff0000, 0, 8);
  builder.AddReference(0, 0, 1);
  builder.AddReference(1, 2, 0, 16);
  builder.AddReference(2, 0, 2);
  builder.AddContentWord(1, 0, 0x400080);
  builder.AddMark(3, "serving", 5, 10);
  builder.SetPeak(stack, 1, 5, 500);
  builder.header().peaks[1] = {500, 700, 2, 0};
  builder.header().peak_side = ledger::kSecondPeak;
  builder.header().next_mark = 4;
  builder.AddHandover(program, mallocspy::Door::kMalloc, self, mallocspy::Door::kMalloc, 1, 8);
  builder.End(ledger::End::kPicture, 0);
  std::ofstream(argv[1], std::ios::binary) << builder.Bytes();
  return 0;
}
