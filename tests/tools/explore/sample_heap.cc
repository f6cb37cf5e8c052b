#include "tests/tools/explore/sample_heap.h"

#include <gnu/libc-version.h>
#include <link.h>
#include <unistd.h>

#include <climits>
#include <cstring>

namespace depot {

struct Cache {
  virtual ~Cache() = default;
};
struct Entry {
  virtual ~Entry() = default;
};
struct Session {
  virtual ~Session() = default;
};

void* g_cache[2];

// Never called: their code stands for that of stacks.
[[gnu::noinline, gnu::used]] int LoadEntries(int number) { return number + static_cast<int>(gnu_get_libc_version()[0]); }
[[gnu::noinline, gnu::used]] int OpenSession(const char* name) { return name[1]; }
[[gnu::noinline, gnu::used]] int LoseTrack(int* place) { return place[2]; }

}  // namespace depot

namespace mallocspy {
namespace {

uint64_t LoadBias() {
  uint64_t bias = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* program, size_t, void* out) {
        *static_cast<uint64_t*>(out) = program->dlpi_addr;
        return 1;
      },
      &bias);
  return bias;
}

std::string OwnPath() {
  char path[PATH_MAX] = {};
  return readlink("/proc/self/exe", path, sizeof(path) - 1) > 0 ? path : "";
}

template <typename Function>
uint64_t InFunction(Function* function) {
  return reinterpret_cast<uint64_t>(function) + 1 - LoadBias();
}

template <typename Class>
uint64_t TableOf() {
  const Class object;
  uint64_t table = 0;
  std::memcpy(&table, static_cast<const void*>(&object), sizeof(table));
  return table - LoadBias();
}

// A heap of this program: its module, and a stack for each function.
struct DepotLedger {
  LedgerBuilder ledger;
  uint32_t program = 0;
  uint32_t load = 0, open = 0, lose = 0, library = 0;

  DepotLedger() {
    ledger.SetProgram(OwnPath(), {"depot", "--entries=3"});
    program = ledger.AddModule(OwnPath(), "", LoadBias(), ledger::kModuleExecutable);
    ledger.last_module().end = ledger.last_module().start + (uint64_t{1} << 30);  // large enough for any test
    const uint32_t other = ledger.AddModule("/nowhere/libcargo.so.1", "\x01", 0x7e0000000000);
    const uint64_t open_at = InFunction(&depot::OpenSession);
    load = ledger.AddStack({{program, InFunction(&depot::LoadEntries)}, {program, open_at}}, Door::kNew);
    open = ledger.AddStack({{program, open_at}}, Door::kMalloc);
    lose = ledger.AddStack({{program, InFunction(&depot::LoseTrack)}, {program, open_at}}, Door::kNewArray);
    library = ledger.AddStack({{other, 0x1234}, {program, open_at}}, Door::kMalloc);
  }
};

}  // namespace

LedgerBuilder SampleHeap(bool graph, const std::string& name) {
  DepotLedger depot;
  LedgerBuilder& ledger = depot.ledger;
  using ledger::Reach;
  using ledger::RootKind;
  using ledger::Shape;
  const auto cache_word = reinterpret_cast<uint64_t>(&depot::g_cache[1]);
  const uint32_t variable = ledger.AddRoot(RootKind::kGlobal, 0, cache_word), stack = ledger.AddRoot(RootKind::kStack, 4712, 0x7fff1000);
  ledger.AddThread(4711, "depot");
  ledger.AddThread(4712, name.substr(0, 15));
  const auto add = [&ledger](SampleBlock block, uint32_t from, uint64_t size, uint16_t mark, Reach reach, uint32_t root, Shape shape) {
    ledger.AddBlock(from, SampleAddress(block), size, mark, 0, reach, root);
    ledger.last_block().shape = shape;
  };
  uint16_t entry = 0;
  add(kCache, depot.open, 64, 1, Reach::kReachable, variable, Shape::kUnknown);
  if (graph) ledger.AddType(depot.program, TableOf<depot::Cache>());
  add(kEntries, depot.load, 800, 1, Reach::kReachable, variable, Shape::kVector);
  for (const SampleBlock block : {kFirstEntry, kSecondEntry, kThirdEntry}) {
    add(block, depot.load, 48, 2, Reach::kReachable, variable, Shape::kObject);
    if (graph && entry == 0) entry = ledger.AddType(depot.program, TableOf<depot::Entry>());
    ledger.last_block().type = entry;
  }
  add(kShortText, depot.load, 1200, 2, Reach::kReachable, variable, Shape::kString);
  add(kLongText, depot.load, 5000, 2, Reach::kReachable, variable, Shape::kString);
  add(kSession, depot.open, 256, 3, Reach::kReachable, stack, Shape::kUnknown);
  if (graph) ledger.AddType(depot.program, TableOf<depot::Session>());
  for (const SampleBlock block : {kFirstNode, kSecondNode, kThirdNode})
    add(block, depot.library, 24, 3, Reach::kReachable, stack, Shape::kListNode);
  add(kLost, depot.lose, 3000, 3, Reach::kDefinite, 0, Shape::kUnknown);
  add(kBelowLost, depot.lose, 40, 3, Reach::kIndirect, 0, Shape::kUnknown);
  add(kInside, depot.open, 77, 3, Reach::kPossible, stack, Shape::kUnknown);
  add(kCycle, depot.lose, 100, 3, Reach::kDefinite, 0, Shape::kUnknown);
  add(kCycleBack, depot.lose, 10, 3, Reach::kIndirect, 0, Shape::kUnknown);
  ledger.AddMark(8, name, 1'700'000'000'000'000'000, 4096);
  ledger.AddMark(9, "serving", 1'700'000'100'000'000'000, -5);
  ledger.header().marks_dropped = 6;
  ledger.header().peak_bytes = 20000;
  ledger.End(graph ? ledger::End::kPicture : ledger::End::kExit, 0);
  if (!graph) return std::move(depot.ledger);

  ledger.AddReference(kCache, 1, kEntries);
  ledger.AddReference(kCache, 2, kEntries, 24);
  ledger.AddReference(kEntries, 0, kFirstEntry);
  ledger.AddReference(kEntries, 1, kSecondEntry);
  ledger.AddReference(kEntries, 2, kThirdEntry);
  ledger.AddReference(kFirstEntry, 2, kShortText);
  ledger.AddReference(kSecondEntry, 2, kLongText);
  ledger.AddReference(kSession, 1, kFirstEntry);
  ledger.AddReference(kSession, 3, kFirstNode);
  ledger.AddReference(kFirstNode, 0, kSecondNode);
  ledger.AddReference(kSecondNode, 0, kThirdNode);
  ledger.AddReference(kSecondNode, 1, kFirstNode);
  ledger.AddReference(kThirdNode, 1, kSecondNode);
  ledger.AddReference(kLost, 4, kBelowLost);
  ledger.AddReference(kCycle, 0, kCycleBack);
  ledger.AddReference(kCycleBack, 0, kCycle);
  ledger.AddRootReference(RootKind::kGlobal, 0, cache_word, kCache);
  ledger.AddRootReference(RootKind::kStack, 4712, 0x7fff1000, kSession);
  ledger.AddRootReference(RootKind::kStack, 4712, 0x7fff1040, kInside, 16);
  return std::move(depot.ledger);
}

LedgerBuilder LargeHeap(uint32_t blocks) {
  DepotLedger depot;
  LedgerBuilder& ledger = depot.ledger;
  // Groups of 100: a list of 50, a tree of 40 below its head, ten that all of them share; every seventh group is lost.
  constexpr uint32_t kGroup = 100, kList = 50, kTree = 40;
  const uint32_t groups = (blocks + kGroup - 1) / kGroup;
  const uint32_t root = ledger.AddRoot(ledger::RootKind::kGlobal, 0, reinterpret_cast<uint64_t>(&depot::g_cache[0]));
  const uint32_t stacks[] = {depot.load, depot.open, depot.library};
  uint16_t type = 0;
  for (uint32_t i = 0; i < groups * kGroup; ++i) {
    const bool lost = i / kGroup % 7 == 3;
    ledger.AddBlock(stacks[i % 3], 0x10000000 + uint64_t{i} * 128, 16 + i % 100, static_cast<uint16_t>(1 + i / kGroup % 50), 0,
                    !lost             ? ledger::Reach::kReachable
                    : i % kGroup == 0 ? ledger::Reach::kDefinite
                                      : ledger::Reach::kIndirect,
                    lost ? 0 : root);
    if (i == 0) type = ledger.AddType(depot.program, TableOf<depot::Entry>());
    ledger.last_block().shape = i % 2 == 0 ? ledger::Shape::kObject : ledger::Shape::kListNode;
    if (i % 2 == 0) ledger.last_block().type = type;
  }
  for (uint32_t group = 0; group < groups; ++group) {
    const uint32_t first = group * kGroup;
    for (uint32_t i = 0; i < kGroup; ++i) {
      if (i + 1 < kList) ledger.AddReference(first + i, 0, first + i + 1);
      if (i != 0 && i < kList) ledger.AddReference(first + i, 1, first + i - 1);
      if (i == 0) ledger.AddReference(first, 2, first + kList);
      for (uint32_t child = 2 * (i - kList) + 1; i >= kList && child <= 2 * (i - kList) + 2 && child < kTree; ++child) {
        ledger.AddReference(first + i, child % 2, first + kList + child);
      }
      if (i < kList + kTree) ledger.AddReference(first + i, 3, first + kList + kTree + i % 10);
      if (i == kList + kTree) ledger.AddReference(first + i, 0, (first + kGroup) % (groups * kGroup) / (7 * kGroup) * (7 * kGroup));
    }
    if (group % 7 != 3) {
      ledger.AddRootReference(ledger::RootKind::kGlobal, 0, reinterpret_cast<uint64_t>(&depot::g_cache[group % 2]) + group % 8, first);
    }
  }
  ledger.AddThread(4711, "depot");
  ledger.End(ledger::End::kPicture, 0);
  return std::move(depot.ledger);
}

}  // namespace mallocspy
