// tiny_blocks DEPTH STACKS VISITS: one thread of tiny short-lived blocks. At its deepest the stack has DEPTH frames:
// three of the start, main, the walks and the leaf.
#include <cstdio>

#include "call_chain.h"

int main(int argc, char** argv) {
  const int depth = argc == 4 ? atoi(argv[1]) : 0;
  const int stacks = argc == 4 ? atoi(argv[2]) : 0;
  if (depth < 8 || stacks < 1 || stacks > static_cast<int>(torture::kMaxStacks)) {
    fprintf(stderr, "usage: tiny_blocks DEPTH STACKS VISITS, a depth of at least 8 and at most %u stacks\n",
            torture::kMaxStacks);
    return 2;
  }
  auto* chain = new torture::CallChain(static_cast<uint32_t>(depth) - 5, static_cast<uint32_t>(stacks),
                                       strtoull(argv[3], nullptr, 10), 1);
  chain->Run();
  printf("%llu\n", static_cast<unsigned long long>(chain->Finish()));
  delete chain;
  return 0;
}
