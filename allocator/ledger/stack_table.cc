#include "allocator/ledger/stack_table.h"

#include "allocator/system/os_memory.h"

namespace mallocspy::ledger {

constinit StackTable g_stacks;

namespace {

constexpr uint32_t kFirstSlots = 1024;

Node* NodeAt(uint32_t index) { return g_ledger.At<Node>(TableId::kNodes, index); }
Stack* StackAt(uint32_t index) { return g_ledger.At<Stack>(TableId::kStacks, index); }

}  // namespace

uint32_t StackTable::Find(const Index* index, uint32_t parent, uint64_t site, uint64_t path) const {
  if (index == nullptr) return 0;
  for (uint32_t slot = SlotOf(path);; ++slot) {
    const uint32_t number = index->slots[slot & index->mask].load(std::memory_order_acquire);
    if (number == 0) return 0;
    const Node* node = NodeAt(number);
    if (node->parent == parent && node->site == site) return number;
  }
}

// Callers come before what they call, so one pass in the order of the nodes knows all paths.
StackTable::Index* StackTable::Grow(Index* index) {
  const uint32_t slots = index == nullptr ? kFirstSlots : (index->mask + 1) * 2;
  const uint32_t nodes = g_ledger.Count(TableId::kNodes);
  Index* grown = static_cast<Index*>(MapPopulated(sizeof(Index) + slots * sizeof(std::atomic<uint32_t>)));
  uint64_t* paths = static_cast<uint64_t*>(MapPopulated(nodes * sizeof(uint64_t)));
  if (grown != nullptr && paths != nullptr) {
    grown->mask = slots - 1;
    for (uint32_t number = 1; number < nodes; ++number) {
      paths[number] = PathOf(paths[NodeAt(number)->parent], NodeAt(number)->site);
      Insert(grown, number, paths[number]);
    }
    index_.store(grown, std::memory_order_release);
  } else if (grown != nullptr) {
    Unmap(grown, sizeof(Index) + slots * sizeof(std::atomic<uint32_t>));
    grown = nullptr;
  }
  if (paths != nullptr) Unmap(paths, nodes * sizeof(uint64_t));
  return grown;
}

void StackTable::Insert(Index* index, uint32_t number, uint64_t path) {
  uint32_t slot = SlotOf(path);
  while (index->slots[slot & index->mask].load(std::memory_order_relaxed) != 0) ++slot;
  index->slots[slot & index->mask].store(number, std::memory_order_release);
}

uint32_t StackTable::AddChild(uint32_t parent, uint64_t site, uint64_t path) {
  FutexLockHolder hold(g_ledger.lock());
  Index* index = index_.load(std::memory_order_relaxed);
  if (const uint32_t found = Find(index, parent, site, path); found != 0) return found;
  if (index == nullptr || (nodes_indexed_ + 1) * 2 > index->mask) {
    index = Grow(index);
    if (index == nullptr) {
      g_ledger.SetDegraded(kLedgerFull);
      return 0;
    }
  }
  const uint32_t number = g_ledger.Reserve(TableId::kNodes);
  if (number == 0) return 0;
  Node* node = NodeAt(number);
  node->site = site;
  node->parent = parent;
  node->stack = 0;
  g_ledger.Publish(TableId::kNodes, number + 1);
  Insert(index, number, path);
  ++nodes_indexed_;
  return number;
}

uint32_t StackTable::InternNode(const uint64_t* sites, uint32_t depth) {
  uint32_t node = 0;
  uint64_t path = 0;
  for (uint32_t i = depth; i-- > 0;) {
    path = PathOf(path, sites[i]);
    node = Child(node, sites[i], path);
    if (node == 0) return 0;
  }
  return node;
}

uint32_t StackTable::InternStack(uint32_t node, Door door, uint8_t flags, uint32_t depth) {
  const auto find = [&](uint32_t first) {
    for (uint32_t number = first; number != 0; number = StackAt(number)->next) {
      const Stack* stack = StackAt(number);
      if (stack->door == static_cast<uint8_t>(door) && stack->flags == flags) return number;
    }
    return uint32_t{0};
  };
  std::atomic_ref<uint32_t> first(NodeAt(node)->stack);
  if (const uint32_t found = find(first.load(std::memory_order_acquire)); found != 0) return found;
  FutexLockHolder hold(g_ledger.lock());
  const uint32_t head = first.load(std::memory_order_relaxed);
  if (const uint32_t found = find(head); found != 0) return found;
  const uint32_t number = g_ledger.Reserve(TableId::kStacks);
  if (number == 0) return 0;
  Stack* stack = StackAt(number);
  stack->node = node;
  stack->door = static_cast<uint8_t>(door);
  stack->flags = flags;
  stack->depth = static_cast<uint16_t>(depth);
  stack->next = head;
  g_ledger.Publish(TableId::kStacks, number + 1);
  first.store(number, std::memory_order_release);
  return number;
}

}  // namespace mallocspy::ledger
