// Ledgers for tests of exports.
#pragma once

#include <string>

#include "tests/tools/ledger_builder.h"

namespace mallocspy {

// What would break a format that does not quote it: in JSON, CSV, folded stacks, terminals and UTF-8.
inline constexpr char kHostilePath[] = "/opt/=ev;il\",\n\r\t\x1b[31m<script>\xff'$(x)";

// 6 live blocks of 660 bytes with a graph; 8 allocations of 1160 bytes in all. Block 0 is a global's, 1 and 2 hang from it, 3 and 4 are a lost
// cycle, 5 has no record of its own; the last stack has nothing live, but 500 of the
// peak's 950 bytes; the first two differ in their doors only.
inline LedgerBuilder SampleLedger(const std::string& path = kHostilePath) {
  LedgerBuilder ledger;
  const uint32_t program = ledger.AddModule(path, "\xab\xcd", 0x1000, ledger::kModuleExecutable);
  const uint32_t self = ledger.AddModule("/opt/libmallocspy.so", "\x01", 0x400000, ledger::kModuleSelf);
  ledger.SetProgram(path, {path, "two\nlines", "\xfe"});
  ledger.AddThread(77, "wor\"ker");
  const uint32_t made = ledger.AddStack({{self, 0x10}, {program, 0x20}, {program, 0x30}}, Door::kMalloc);
  const uint32_t by_new = ledger.AddStack({{self, 0x10}, {program, 0x20}, {program, 0x30}}, Door::kNew);
  const uint32_t gone = ledger.AddStack({{program, 0x40}, {program, 0x30}}, Door::kMalloc);
  ledger.AddBlock(made, 0x5000, 300, 1, 0, ledger::Reach::kReachable);
  ledger.AddType(program, 0x80);
  ledger.AddBlock(by_new, 0x6000, 200, 1, 0, ledger::Reach::kReachable);
  ledger.last_block().shape = ledger::Shape::kString;
  ledger.AddBlock(made, 0x7000, 100, 1, 0, ledger::Reach::kPossible);
  ledger.AddBlock(made, 0x8000, 50, 1, 0, ledger::Reach::kDefinite);
  ledger.AddBlock(made, 0x9000, 10, 1, 0, ledger::Reach::kIndirect);
  ledger.AddBlock(0, 0xa000, 0, 1, ledger::kBlockHeaderDestroyed);
  ledger.CountAllocations(gone, 2, 500);
  ledger.CountFrees(gone, 2, 500);
  ledger.AddRootReference(ledger::RootKind::kGlobal, 0, 0x1100, 0);
  ledger.AddRootReference(ledger::RootKind::kStack, 77, 0x700000, 0);
  ledger.AddReference(0, 0, 1);
  ledger.AddReference(0, 1, 2, 24);
  ledger.AddReference(3, 0, 4);
  ledger.AddReference(4, 0, 3);
  ledger.SetPeak(made, 0, 3, 450);
  ledger.SetPeak(gone, 0, 2, 500);
  ledger.header().peak_bytes = 950;
  ledger.header().peaks[0] = {950, 1000, 4, 0};
  ledger.header().peak_side = ledger::kFirstPeak;
  ledger.End(ledger::End::kExit, 0);
  return ledger;
}

}  // namespace mallocspy
