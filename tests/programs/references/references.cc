// Objects with reference counts, used as the first argument says.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "allocator/reference_counts.h"
#include "spy/malloc_spy.h"

namespace {

class Document : public IUnknown {
 public:
  STDMETHODIMP QueryInterface(REFIID iid, void** out) override {
    *out = IsEqualIID(iid, IID_IUnknown) ? this : nullptr;
    if (*out == nullptr) return E_NOINTERFACE;
    AddRef();
    return S_OK;
  }
  STDMETHODIMP_(ULONG) AddRef() override { return references_.Increment(); }
  STDMETHODIMP_(ULONG) Release() override {
    const ULONG left = references_.Decrement();
    if (left == 0) delete this;
    return left;
  }
  virtual ~Document() = default;

 private:
  mallocspy::ReferenceCount references_{this, "Document"};
};

// Counts by itself, from 0.
class Counted {
 public:
  void AddRef() {
    ++count_;
    if (mallocspy_added_reference != nullptr) mallocspy_added_reference(this, nullptr, count_);
  }
  void Release() {
    if (mallocspy_releases_reference != nullptr) mallocspy_releases_reference(this, nullptr, count_ - 1);
    if (--count_ == 0) delete this;
  }

 private:
  uint32_t count_ = 0;
};

__attribute__((noinline)) void Borrow(Document* document) {
  document->AddRef();
  document->Release();
}
__attribute__((noinline)) void Forget(Document* document) { document->AddRef(); }
__attribute__((noinline)) void Hold(Document* document) { document->AddRef(); }
__attribute__((noinline)) void Drop(Document* document) { document->Release(); }
__attribute__((noinline)) Document* Make() { return new Document; }

Document* kept = nullptr;

void Balanced() {
  Document* document = Make();
  void* unknown = nullptr;
  if (document->QueryInterface(IID_IUnknown, &unknown) == S_OK) static_cast<IUnknown*>(unknown)->Release();
  Borrow(document);
  Hold(document);
  Drop(document);
  Drop(document);
  auto* counted = new Counted;
  counted->AddRef();
  counted->Release();
}

void Forgotten() {
  kept = Make();
  for (int i = 0; i < 3; ++i) Borrow(kept);
  for (int i = 0; i < 2; ++i) Forget(kept);
  Drop(kept);
}

void ManyForgotten() {
  static Document* all[10];
  for (Document*& one : all) {
    one = Make();
    Forget(one);
  }
}

void OnceTooOften() {
  static char memory[sizeof(Document)] __attribute__((aligned(16)));
  // Not on the heap, so that nothing is freed that is used afterwards.
  struct Static {
    mallocspy::ReferenceCount references;
  };
  auto* object = new (memory) Static{{memory, "Static"}};
  object->references.Decrement();
  object->references.Decrement();
}

void Deleted() {
  Document* document = Make();
  Forget(document);
  delete document;
}

// Objects that lie one after another in the same place are not taken for one.
void Reused() {
  for (int i = 0; i < 1000; ++i) {
    Document* document = Make();
    Hold(document);
    Drop(document);
    Drop(document);
  }
}

void Threads(bool one_too_few) {
  kept = Make();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([one_too_few, i] {
      for (int round = 0; round < 2000; ++round) {
        Hold(kept);
        if (!one_too_few || i != 2 || round != 1000) Drop(kept);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Drop(kept);
}

void Forked() {
  kept = Make();
  if (fork() == 0) {
    Borrow(kept);
    Document* own = Make();
    Drop(own);
    _exit(0);
  }
  int status;
  wait(&status);
  Drop(kept);
}

}  // namespace

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  if (std::strcmp(what, "balanced") == 0) Balanced();
  if (std::strcmp(what, "forgotten") == 0) Forgotten();
  if (std::strcmp(what, "many") == 0) ManyForgotten();
  if (std::strcmp(what, "once too often") == 0) OnceTooOften();
  if (std::strcmp(what, "deleted") == 0) Deleted();
  if (std::strcmp(what, "reused") == 0) Reused();
  if (std::strcmp(what, "threads") == 0) Threads(false);
  if (std::strcmp(what, "threads but one") == 0) Threads(true);
  if (std::strcmp(what, "forked") == 0) Forked();
  std::puts("done");
  return 0;
}
