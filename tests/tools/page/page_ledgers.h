// Ledgers for tests of the page: one with names that try to be markup, and one with as many stacks as are wanted.
#pragma once

#include <cstdint>
#include <string>

#include "tests/tools/ledger_builder.h"

namespace mallocspy {

// What ends elements, begins comments and strings, breaks lines, turns the direction of writing, or is no text at all.
inline constexpr char kHostileName[] =
    "</script><script>alert(1)</script><!--<img src=x "
    "onerror=alert(2)>\"'&amp;\\u003c\n\x1b[31m\xff\xe2\x80\xa8\xe2\x80\xae";

inline std::string HostileLedger() {
  LedgerBuilder ledger;
  ledger.SetProgram(std::string("/opt/") + kHostileName, {kHostileName, "</title>"});
  const uint32_t module =
      ledger.AddModule(std::string("/nowhere/") + kHostileName, "\xab", 0x1000, ledger::kModuleExecutable);
  const uint32_t plain = ledger.AddModule("/nowhere/libplain.so", "\xcd", 0x2000);
  const uint32_t stack = ledger.AddStack({{module, 0x10}, {plain, 0x20}}, Door::kNew);
  ledger.AddBlock(stack, 0x5000, 24, 1, 0, ledger::Reach::kDefinite);
  ledger.AddBlock(ledger.AddStack({{plain, 0x30}}, Door::kMalloc), 0x6000, 100, 1, 0, ledger::Reach::kReachable);
  LedgerBuilder::ErrorRecord& error = ledger.AddError(ledger::ErrorKind::kDoubleFree);
  error.address = 0x7000;
  error.where = ledger.AddNode({{module, 0x40}});
  error.detail = ledger.AddString(kHostileName);
  ledger.AddRootReference(ledger::RootKind::kGlobal, 0, 0x1800, 0);
  ledger.AddReference(0, 0, 1);
  ledger.AddThread(1, "</b><i>");
  ledger.AddMark(1, kHostileName, 5'000'000, 10);
  ledger.End(ledger::End::kExit, 0);
  return ledger.Bytes();
}

// Every stack is `depth` frames deep and shares its outer ones with some others, as in real programs.
inline std::string LargeLedger(uint32_t stacks, uint32_t depth = 24) {
  LedgerBuilder ledger;
  ledger.SetProgram("/opt/large", {"large"});
  uint32_t modules[8];
  for (uint32_t i = 0; i < 8; ++i)
    modules[i] = ledger.AddModule("/nowhere/libpart" + std::to_string(i) + ".so", "\xab", 0x100000 * (i + 1));
  uint64_t random = 1;
  std::vector<LedgerBuilder::Frame> frames(depth);
  for (uint32_t i = 0; i < stacks; ++i) {
    // The outer the frame, the rarer it changes.
    for (uint32_t level = 0; level < depth; ++level) {
      if (i != 0 && level > 3 && i % (1u << (level / 2)) != 0) break;
      random = random * 6364136223846793005 + 1442695040888963407;
      frames[level] = {modules[(random >> 40) % 8], 0x100 + (random >> 50) % 4000 * 16};
    }
    const uint32_t stack = ledger.AddStack(frames, Door::kMalloc);
    ledger.CountAllocations(stack, 3, 3 * (16 + random % 4096));
    ledger.CountFrees(stack, 1, 16);
  }
  return ledger.Bytes();
}

}  // namespace mallocspy
