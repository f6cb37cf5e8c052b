#include "tools/graph/object_graph.h"

#include <numeric>
#include <utility>

namespace mallocspy {
namespace {

std::vector<uint32_t> Everyone(size_t count) {
  std::vector<uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

// Sorts the numbers below `count` by `key_of(number)`, which is below `keys`, stably: fills `begin` and the lists.
template <typename KeyOf, typename ValueOf>
void Distribute(uint32_t count, uint32_t keys, KeyOf key_of, ValueOf value_of, std::vector<uint32_t>* begin, std::vector<uint32_t>* lists) {
  begin->assign(keys + 1, 0);
  for (uint32_t i = 0; i < count; ++i) ++(*begin)[key_of(i)];
  // From counts to ends; filling from behind turns these into begins.
  std::partial_sum(begin->begin(), begin->end(), begin->begin());
  lists->resize(count);
  for (uint32_t i = count; i-- > 0;) (*lists)[--(*begin)[key_of(i)]] = value_of(i);
}

}  // namespace

ObjectGraph::ObjectGraph(const Snapshot& snapshot)
    : ObjectGraph(snapshot, Everyone(snapshot.roots.size()), static_cast<uint32_t>(snapshot.roots.size())) {}

ObjectGraph::ObjectGraph(const Snapshot& snapshot, std::vector<uint32_t> holder_of_root, uint32_t holders)
    : snapshot_(snapshot),
      holder_of_root_(std::move(holder_of_root)),
      blocks_(static_cast<uint32_t>(snapshot.blocks.size())),
      holders_(holders) {
  const std::vector<SnapshotReference>& references = snapshot.references;
  const std::vector<SnapshotRootReference>& root_references = snapshot.root_references;
  // They are in order, so that the lists exist.
  from_begin_.assign(blocks_ + 1, 0);
  for (const SnapshotReference& reference : references) ++from_begin_[reference.from + 1];
  std::partial_sum(from_begin_.begin(), from_begin_.end(), from_begin_.begin());
  const auto number = [](uint32_t i) { return i; };
  Distribute(
      static_cast<uint32_t>(references.size()), blocks_, [&references](uint32_t i) { return references[i].to; },
      [&references](uint32_t i) { return references[i].from; }, &to_begin_, &referrers_);
  const auto count = static_cast<uint32_t>(root_references.size());
  Distribute(
      count, holders_, [this, &root_references](uint32_t i) { return holder_of_root_[root_references[i].root]; }, number, &holder_begin_,
      &of_holder_);
  Distribute(
      count, blocks_, [&root_references](uint32_t i) { return root_references[i].to; }, number, &roots_to_begin_, &roots_to_);
}

}  // namespace mallocspy
