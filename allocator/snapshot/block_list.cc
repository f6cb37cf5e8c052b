#include "allocator/snapshot/block_list.h"

#include <cstring>

#include "allocator/block_header.h"
#include "allocator/ledger/error_table.h"
#include "allocator/ledger/ledger.h"
#include "allocator/ledger/live_map.h"
#include "allocator/ledger/thread_counters.h"
#include "allocator/process.h"
#include "allocator/snapshot/memory_window.h"
#include "allocator/snapshot/picture.h"
#include "allocator/system/os_memory.h"

namespace mallocspy {
namespace {

using ledger::Block;
using ledger::ErrorKind;
using ledger::g_ledger;
using ledger::g_live_map;
using ledger::TableId;

// Holds a whole number of both pages and block records.
constexpr size_t kChunkBytes = 256 * kPageBytes;
static_assert(kChunkBytes % sizeof(Block) == 0);

// False for a block that is not this process's own.
bool Describe(uintptr_t address, MemoryWindow* window, Block* block) {
  const uintptr_t header_address = address - sizeof(BlockHeader);
  BlockHeader copy;
  std::memcpy(&copy, window->At(header_address, sizeof(copy)), sizeof(copy));
  const BlockHeader* header = &copy;
  *block = {};
  block->address = address;
  const BlockReach reach = ReachOf(address);
  block->reach = reach.reach;
  block->holder = reach.holder;
  if (reach.cache) block->flags |= ledger::kBlockCache;
  if (!IsSealedAt(header_address, copy)) {
    block->flags |= ledger::kBlockHeaderDestroyed;
    return true;
  }
  if (header->mark < g_settings.base_mark) return false;
  block->size = header->size;
  block->stack = header->stack;
  block->mark = header->mark;
  block->door = header->door;
  if (header->guarded) {
    const unsigned char* guard = window->At(address + header->size, GuardBytes(header->size));
    const void* payload = reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(guard) - header->size);
    if (CheckGuard(payload, header->size) != 0) block->flags |= ledger::kBlockGuardDestroyed;
  }
  if (header->ignored != 0) block->flags |= ledger::kBlockIgnored;
  return true;
}

struct Walk {
  bool (*take)(const Block& block, void* context);
  void* context;
  bool going = true;
  MemoryWindow window = {};
};

void VisitLive(uintptr_t address, void* context) {
  Walk* walk = static_cast<Walk*>(context);
  Block block;
  if (walk->going && Describe(address, &walk->window, &block)) walk->going = walk->take(block, walk->context);
}

// Writes records into the ledger's growing end.
struct LedgerWriter {
  unsigned char* chunk = nullptr;
  size_t filled = kChunkBytes;
  uint64_t first_offset = 0;
  uint64_t count = 0;
  bool full = false;
};

bool WriteToLedger(const Block& block, void* context) {
  LedgerWriter* writer = static_cast<LedgerWriter*>(context);
  if (writer->filled == kChunkBytes) {
    uint64_t offset;
    if (writer->chunk != nullptr) Unmap(writer->chunk, kChunkBytes - kPageBytes);  // its last page is where growth starts
    writer->chunk = static_cast<unsigned char*>(g_ledger.memory().Extend(kChunkBytes, &offset));
    if (writer->chunk == nullptr) {
      writer->full = true;
      return false;
    }
    if (writer->first_offset == 0) writer->first_offset = offset;
    writer->filled = 0;
  }
  *reinterpret_cast<Block*>(writer->chunk + writer->filled) = block;
  writer->filled += sizeof(Block);
  ++writer->count;
  return true;
}

}  // namespace

void ForEachBlock(bool (*take)(const Block& block, void* context), void* context) {
  Walk walk{take, context};
  if (InPicture()) walk.window.Open();
  g_live_map.ForEachLive(VisitLive, &walk);
}

uint64_t CountLiveBlocks() {
  uint64_t count = 0;
  const auto add = [](const Block&, void* total) { return ++*static_cast<uint64_t*>(total), true; };
  ForEachBlock(add, &count);
  return count;
}

void SettleCounters() {
  struct Live {
    uint64_t blocks;
    uint64_t bytes;
  };
  struct Tally {
    Live* live;
    uint32_t stacks;
  };
  const uint32_t stacks = g_ledger.Count(TableId::kStacks);
  Tally tally{static_cast<Live*>(MapPrivate(stacks * sizeof(Live))), stacks};
  if (tally.live == nullptr) return;
  ForEachBlock(
      [](const Block& block, void* context) {
        const Tally* into = static_cast<Tally*>(context);
        // A destroyed header tells of stack 0.
        ++into->live[block.stack < into->stacks ? block.stack : 0].blocks;
        into->live[block.stack < into->stacks ? block.stack : 0].bytes += block.size;
        return true;
      },
      &tally);
  ledger::FoldBanks();
  for (uint32_t i = 0; i < stacks; ++i) {
    ledger::Counters& counters = g_ledger.At<ledger::Stack>(TableId::kStacks, i)->shared;
    const int64_t blocks = static_cast<int64_t>(counters.allocations - counters.frees - tally.live[i].blocks);
    const int64_t bytes = static_cast<int64_t>(counters.allocated_bytes - counters.freed_bytes - tally.live[i].bytes);
    (blocks > 0 ? counters.frees : counters.allocations) += static_cast<uint64_t>(blocks > 0 ? blocks : -blocks);
    (bytes > 0 ? counters.freed_bytes : counters.allocated_bytes) += static_cast<uint64_t>(bytes > 0 ? bytes : -bytes);
  }
  Unmap(tally.live, stacks * sizeof(Live));
}

void ListBlocksInLedger() {
  LedgerWriter writer;
  ForEachBlock(WriteToLedger, &writer);
  if (writer.full) g_ledger.SetDegraded(ledger::kBlocksUnwritten);
  ledger::Header& header = g_ledger.header();
  header.blocks_offset = writer.first_offset;
  header.blocks_count = writer.count;
  header.used_bytes.store(g_ledger.memory().used_bytes(), std::memory_order_release);
}

}  // namespace mallocspy
