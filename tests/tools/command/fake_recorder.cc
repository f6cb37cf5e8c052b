// Stands in for libmallocspy.so in tests of `mallocspy run`: leaves the ledger that FAKE_RECORDER names, without
// looking at the process.
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "tests/tools/ledger_builder.h"

namespace mallocspy {
namespace {

std::string FirstFreeName(const std::string& directory) {
  for (int image = 0;; ++image) {
    std::string name = directory + "/" + std::to_string(getpid()) + "." + std::to_string(image) + ".mspy";
    if (access(name.c_str(), F_OK) != 0) return name;
  }
}

void AddLeak(LedgerBuilder* ledger, ledger::Reach reach) {
  const uint32_t module = ledger->AddModule("/nowhere/prog", "\xab", 0x1000, ledger::kModuleExecutable);
  ledger->AddBlock(ledger->AddStack({{module, 0x10}}, Door::kMalloc), 0x5000, 40, 1, 0, reach);
}

__attribute__((constructor)) void LeaveLedger() {
  const char* const directory = std::getenv("MALLOCSPY_RUN");
  const char* const plan = std::getenv("FAKE_RECORDER");
  if (directory == nullptr || plan == nullptr || std::strcmp(plan, "none") == 0) return;
  LedgerBuilder ledger;
  ledger.header().pid = static_cast<uint32_t>(getpid());
  ledger.SetProgram("/nowhere/prog", {"prog"});
  const bool unknown = std::strstr(plan, "unknown") != nullptr;
  if (std::strstr(plan, "leak") != nullptr) AddLeak(&ledger, unknown ? ledger::Reach::kUnknown : ledger::Reach::kDefinite);
  if (std::strstr(plan, "error") != nullptr) ledger.AddError(ledger::ErrorKind::kDoubleFree).address = 0x5000;
  if (std::strstr(plan, "no-spy") != nullptr) ledger.header().degraded = ledger::kSpyNotLoaded;
  if (std::strstr(plan, "running") == nullptr) ledger.End(ledger::End::kExit, 0);
  std::ofstream(FirstFreeName(directory), std::ios::binary) << ledger.Bytes();
}

}  // namespace
}  // namespace mallocspy
