// two_threads one|own|other VISITS: tiny short-lived blocks in threads. `one` thread does VISITS; with `own` two threads do as
// many each and free their own blocks; with `other` each frees the blocks that the other made. Each thread does the same work in all
// three, so the wall time of two over that of one is how the allocator scales.
#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <cstdio>

#include "call_chain.h"

namespace {

// Blocks on their way from one thread to the other.
class Pipe {
 public:
  bool Put(unsigned char* block) {
    const uint32_t end = end_.load(std::memory_order_relaxed);
    if (end - start_.load(std::memory_order_acquire) == kBlocks) return false;
    blocks_[end % kBlocks] = block;
    end_.store(end + 1, std::memory_order_release);
    return true;
  }
  unsigned char* Take() {
    const uint32_t start = start_.load(std::memory_order_relaxed);
    if (start == end_.load(std::memory_order_acquire)) return nullptr;
    unsigned char* block = blocks_[start % kBlocks];
    start_.store(start + 1, std::memory_order_release);
    return block;
  }

 private:
  static constexpr uint32_t kBlocks = 1024;
  alignas(64) std::atomic<uint32_t> start_{0};
  alignas(64) std::atomic<uint32_t> end_{0};
  alignas(64) unsigned char* blocks_[kBlocks];
};

class ExchangingChain : public torture::CallChain {
 public:
  ExchangingChain(uint64_t visits, uint32_t seed, Pipe* out, Pipe* in) : CallChain(16, 64, visits, seed), out_(out), in_(in) {}

  void FreeReceived() {
    while (unsigned char* block = in_->Take()) free(block);
  }

 protected:
  void Retire(unsigned char* block) override {
    if (out_ == nullptr) {
      free(block);
      return;
    }
    while (!out_->Put(block)) {
      FreeReceived();
      sched_yield();
    }
    if (unsigned char* received = in_->Take()) free(received);
  }

 private:
  Pipe* out_;
  Pipe* in_;
};

Pipe pipes[2];
std::atomic<int> at_work;

struct Task {
  pthread_t thread;
  uint64_t visits;
  uint32_t number;
  bool exchange;
  uint64_t sum;
};

void* Work(void* argument) {
  Task* task = static_cast<Task*>(argument);
  Pipe* in = &pipes[task->number];
  auto* chain = new ExchangingChain(task->visits, task->number + 1, task->exchange ? &pipes[1 - task->number] : nullptr, in);
  chain->Run();
  task->sum = chain->Finish();
  // The other one may still wait for room.
  for (at_work.fetch_sub(1); task->exchange && at_work.load() > 0; sched_yield()) chain->FreeReceived();
  chain->FreeReceived();
  delete chain;
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: two_threads one|own|other VISITS\n");
    return 2;
  }
  const uint32_t threads = strcmp(argv[1], "one") == 0 ? 1 : 2;
  Task tasks[2] = {};
  at_work = static_cast<int>(threads);
  for (uint32_t i = 0; i < threads; ++i) {
    tasks[i] = {0, strtoull(argv[2], nullptr, 10), i, strcmp(argv[1], "other") == 0, 0};
    if (pthread_create(&tasks[i].thread, nullptr, Work, &tasks[i]) != 0) return 1;
  }
  for (uint32_t i = 0; i < threads; ++i) pthread_join(tasks[i].thread, nullptr);
  printf("%llu %llu\n", static_cast<unsigned long long>(tasks[0].sum), static_cast<unsigned long long>(tasks[1].sum));
  return 0;
}
