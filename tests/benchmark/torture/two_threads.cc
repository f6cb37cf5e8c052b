// two_threads one|own|other VISITS: tiny short-lived blocks in threads. `one` thread does VISITS; with `own` two
// threads do as many each and free their own blocks; with `other` each frees the blocks that the other made. Each
// thread does the same work in all three, so the wall time of two over that of one is how the allocator scales.
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

#include "call_chain.h"

namespace {

// Blocks on their way from one thread to the other, by batches: so the threads share few cache lines but the blocks'
// own.
struct Batch {
  static constexpr uint32_t kBlocks = 64;
  uint32_t count = 0;
  unsigned char* blocks[kBlocks];
};

class Pipe {
 public:
  bool Put(const Batch& batch) {
    const uint32_t end = end_.load(std::memory_order_relaxed);
    if (end - start_.load(std::memory_order_acquire) == kBatches) return false;
    batches_[end % kBatches] = batch;
    end_.store(end + 1, std::memory_order_release);
    return true;
  }
  bool Take(Batch* batch) {
    const uint32_t start = start_.load(std::memory_order_relaxed);
    if (start == end_.load(std::memory_order_acquire)) return false;
    *batch = batches_[start % kBatches];
    start_.store(start + 1, std::memory_order_release);
    start_.notify_one();
    return true;
  }
  // Returns when there is room. Asleep, not by asking again and again: on a busy machine that would be most of what is
  // measured.
  void AwaitRoom() {
    const uint32_t start = start_.load(std::memory_order_acquire);
    if (end_.load(std::memory_order_relaxed) - start == kBatches) start_.wait(start);
  }

 private:
  static constexpr uint32_t kBatches = 64;
  alignas(64) std::atomic<uint32_t> start_{0};
  alignas(64) std::atomic<uint32_t> end_{0};
  alignas(64) Batch batches_[kBatches];
};

class ExchangingChain : public torture::CallChain {
 public:
  ExchangingChain(uint64_t visits, uint32_t seed, Pipe* out, Pipe* in)
      : CallChain(16, 64, visits, seed), out_(out), in_(in) {}

  // Hands over what is left.
  void Flush() {
    while (!out_->Put(outgoing_)) {
      FreeReceived();  // so the other one does not wait for room while this one does
      out_->AwaitRoom();
    }
    outgoing_.count = 0;
  }
  void FreeReceived() {
    for (Batch batch; in_->Take(&batch);) {
      for (uint32_t i = 0; i < batch.count; ++i) free(batch.blocks[i]);
    }
  }

 protected:
  void Retire(unsigned char* block) override {
    if (out_ == nullptr) {
      free(block);
      return;
    }
    outgoing_.blocks[outgoing_.count++] = block;
    if (outgoing_.count < Batch::kBlocks) return;
    Flush();
    FreeReceived();
  }

 private:
  Pipe* out_;
  Pipe* in_;
  Batch outgoing_;
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
  auto* chain =
      new ExchangingChain(task->visits, task->number + 1, task->exchange ? &pipes[1 - task->number] : nullptr, in);
  chain->Run();
  task->sum = chain->Finish();
  if (task->exchange) chain->Flush();
  // The other one may still wait for room.
  for (at_work.fetch_sub(1); task->exchange && at_work.load() > 0; usleep(100)) chain->FreeReceived();
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
