// The functions behind our doors, in libc: looked up once, when the library is constructed, or at a door's first use
// before that. Never inside an allocation.
#pragma once

#include <dlfcn.h>

namespace mallocspy {

template <typename Function>
class Next {
 public:
  explicit constexpr Next(const char* name) : name_(name) {}
  Function get() {
    Function function = __atomic_load_n(&function_, __ATOMIC_RELAXED);
    if (function == nullptr) {
      function = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name_));
      __atomic_store_n(&function_, function, __ATOMIC_RELAXED);
    }
    return function;
  }

 private:
  const char* name_;
  Function function_ = nullptr;
};

}  // namespace mallocspy
