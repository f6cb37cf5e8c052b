// The fault spy: makes allocations fail on purpose, as if memory had run out. malloc then returns NULL and sets ENOMEM, operator new calls
// the new_handler and throws, as they do without memory.
//
//   mallocspy run --spy=faults:nth=100 -- program
//   mallocspy run --spy=faults:probability=0.001,seed=7,within=libparser,outside=main_init -- program
//
// Arguments, separated by commas. Which calls are candidates (all of these hold; by default every request of at least a byte):
//   above=BYTES      it asks for more
//   after_mark=N     the program has begun mark N (mallocspy_mark)
//   within=NAME      its stack has this function or module on it; of several one is enough
//   outside=NAME     its stack has not; of several none
//   stack=ID         it has this stack, by the name that `mallocspy oom` gives it; the first such call fails
//   children=0       forked children are left alone (default 1: each counts on from where its parent was)
// Which candidates fail (any of these; by default every one):
//   nth=N            the N-th
//   every=N          every N-th
//   probability=P    from 0 to 1; seed=N (default 1) begins the sequence of random numbers
//   stacks=once      only the first with its call stack may fail
//   limit=N          at most N fail
//   stacks_in=FILE   only those whose IDs stand in FILE, one on a line
//   fork=FILE        instead of failing, the first call with each stack forks: it fails in the child, and the parent waits for that at most
//                    seconds=N (default 10) and goes on; a line of FILE tells of each, "ID PID WAIT_STATUS TIMED_OUT"
// With list=FILE each stack of a candidate gets a line in FILE, "ID NUMBER BYTES", and by default none fails.
//
// The same arguments make the same calls of the same run fail. Every failure stands in the reports as `injected`, with its stack.
#include <stdint.h>

#include <atomic>
#include <new>

#include "spy/malloc_spy.h"
#include "spy/spies/faults/chooser.h"
#include "spy/spies/faults/forked_trial.h"
#include "spy/spies/faults/settings.h"
#include "spy/spies/plain_spy.h"
#include "spy/spies/system.h"

namespace mallocspy::spies::faults {
namespace {

constexpr size_t kMostFrames = 1024;  // that a stack is known by
constexpr size_t kPageBytes = 4096;

class FaultSpy final : public PlainSpy {
 public:
  static HRESULT Create(const Settings& settings, IMallocSpy** out) {
    void* memory = system::Map(sizeof(FaultSpy));
    if (memory == nullptr) return E_OUTOFMEMORY;
    FaultSpy* spy = new (memory) FaultSpy;
    if (!spy->chooser_.Start(settings)) {
      constexpr char kText[] = "mallocspy_faults: the file of stacks_in= is not there, or has lines that are no stack's ID\n";
      system::WriteToStandardError(kText, sizeof(kText) - 1);
      return E_INVALIDARG;
    }
    if (!settings.children && !spy->KnowForks()) return E_OUTOFMEMORY;
    *out = spy;
    return S_OK;
  }

  STDMETHODIMP_(SIZE_T) PreAlloc(SIZE_T cbRequest) override { return Answer(cbRequest); }
  STDMETHODIMP_(SIZE_T) PreRealloc(void* pRequest, SIZE_T cbRequest, void** ppNewRequest, BOOL) override {
    *ppNewRequest = pRequest;
    return Answer(cbRequest);
  }

 private:
  void Released() override {}

  SIZE_T Answer(SIZE_T bytes) {
    if (over_ || (here_ != nullptr && *here_ == 0)) return bytes;
    Asked asked = {bytes, mallocspy_current_mark(), 0, frames_, 0};
    mallocspy_call_stack(&asked.stack, nullptr, 0);
    if (!chooser_.KnowsStack(asked.stack)) {
      const size_t depth = mallocspy_call_stack(nullptr, frames_, kMostFrames);
      asked.frame_count = depth < kMostFrames ? depth : kMostFrames;
    }
    if (!chooser_.Fails(asked)) return bytes;
    const Settings& settings = chooser_.settings();
    if (settings.fork[0] != '\0') {
      if (TryForked(settings.fork, chooser_.KeyOfStack(asked.stack), settings.seconds) != Side::kChild) return bytes;
      over_ = true;
    }
    mallocspy_note_injected_failure(bytes);
    return 0;
  }

  // Makes a page that says in which process this is.
  bool KnowForks() {
    here_ = static_cast<uint8_t*>(system::Map(kPageBytes));
    if (here_ == nullptr || !system::WipeOnFork(here_, kPageBytes)) return false;
    *here_ = 1;
    return true;
  }

  Chooser chooser_;
  bool over_ = false;         // this is a forked trial, in which one call has failed
  uint8_t* here_ = nullptr;  // 0 in a forked child; null: everywhere
  mallocspy_frame frames_[kMostFrames] = {};
};

}  // namespace
}  // namespace mallocspy::spies::faults

extern "C" HRESULT MallocSpyCreate(const char* args, IMallocSpy** out) {
  using namespace mallocspy::spies::faults;
  if (out == nullptr) return E_POINTER;
  *out = nullptr;
  Settings settings;
  if (!ParseSettings(args != nullptr ? args : "", &settings)) return E_INVALIDARG;
  return FaultSpy::Create(settings, out);
}
