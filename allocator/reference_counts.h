/* Objects with reference counts, as COM has them: who holds the references that were never released? For C and C++.
 *
 * A class opts in by telling of each AddRef and Release. An object whose count never came to zero, or went below, becomes the error
 * `unbalanced-references` of the report, with the calls, by their stacks, those first that took more references than they gave back:
 *
 *   class Document : public IUnknown {
 *    public:
 *     ULONG AddRef() override { return references_.Increment(); }
 *     ULONG Release() override {
 *       const ULONG left = references_.Decrement();
 *       if (left == 0) delete this;
 *       return left;
 *     }
 *    private:
 *     mallocspy::ReferenceCount references_{this, "Document"};   // begins with 1, as the reference of whoever made it
 *   };
 *
 * A class that counts by itself calls the two functions. A program that is not linked with the library needs nothing: where mallocspy is
 * not preloaded they are null, which ReferenceCount knows.
 */
#ifndef MALLOCSPY_ALLOCATOR_REFERENCE_COUNTS_H_
#define MALLOCSPY_ALLOCATOR_REFERENCE_COUNTS_H_

#include <stdint.h>

#ifndef MALLOCSPY_API
#define MALLOCSPY_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A reference to `object` was added, so there are `count` now; 1 when it was made with one. `class_name`, which may be NULL, stays valid for
 * ever. While the caller's reference keeps the object. Any thread; not from a signal handler. Keeps errno. */
MALLOCSPY_API __attribute__((weak)) void mallocspy_added_reference(const void* object, const char* class_name, uint32_t count);

/* A reference goes, of which `count` are left then; the last ends the object. To be called just before the count goes down: afterwards
 * another thread may end the object, and a new one lie there. One reference too many makes `count` 2^31 or more, which is an error at once. */
MALLOCSPY_API __attribute__((weak)) void mallocspy_releases_reference(const void* object, const char* class_name, uint32_t count);

#ifdef __cplusplus
} /* extern "C" */

#include <atomic>

namespace mallocspy {

/* A count that tells of its changes. A member of the object, or of one that ends with it. */
class ReferenceCount {
 public:
  /* `class_name` stays valid for ever. With `first` 0 nobody has a reference yet. */
  ReferenceCount(const void* object, const char* class_name, uint32_t first = 1) : object_(object), class_name_(class_name), count_(first) {
    if (first != 0 && mallocspy_added_reference != nullptr) mallocspy_added_reference(object_, class_name_, first);
  }
  ReferenceCount(const ReferenceCount&) = delete;
  ReferenceCount& operator=(const ReferenceCount&) = delete;

  /* The new count. */
  uint32_t Increment() {
    const uint32_t count = count_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (mallocspy_added_reference != nullptr) mallocspy_added_reference(object_, class_name_, count);
    return count;
  }
  uint32_t Decrement() {
    const uint32_t count = count_.load(std::memory_order_relaxed) - 1;
    if (mallocspy_releases_reference != nullptr) mallocspy_releases_reference(object_, class_name_, count);
    return count_.fetch_sub(1, std::memory_order_acq_rel) - 1;
  }

 private:
  const void* const object_;
  const char* const class_name_;
  std::atomic<uint32_t> count_;
};

}  // namespace mallocspy
#endif /* C++ */

#endif
