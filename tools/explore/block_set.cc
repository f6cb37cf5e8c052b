#include "tools/explore/block_set.h"

#include <algorithm>
#include <iterator>

namespace mallocspy {

BlockSet Both(const BlockSet& a, const BlockSet& b) {
  BlockSet result;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

BlockSet Either(const BlockSet& a, const BlockSet& b) {
  BlockSet result;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

BlockSet Without(const BlockSet& a, const BlockSet& b) {
  BlockSet result;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

}  // namespace mallocspy
