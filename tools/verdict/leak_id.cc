#include "tools/verdict/leak_id.h"

#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/verdict/public_name.h"
#include "tools/wording/base_name.h"

namespace mallocspy {
namespace {

// FNV-1a: simple enough to be the same for ever, on every machine.
class Hash {
 public:
  void Add(absl::string_view text) {
    for (const char c : text) AddByte(static_cast<unsigned char>(c));
    AddByte(0);  // so that no two sequences of texts run into one
  }
  uint64_t value() const { return value_; }

 private:
  void AddByte(unsigned char byte) { value_ = (value_ ^ byte) * 0x100000001b3; }
  uint64_t value_ = 0xcbf29ce484222325;
};

// What lies between two functions of a program within the C library and its loader changes with each update, and has
// other names, and more of them, where their debug symbols are installed. So of a run of such frames only the function
// counts that the program called.
bool IsRuntime(absl::string_view module) {
  for (const absl::string_view prefix : {"libc.so", "libc-2.", "libpthread.so", "libpthread-2.", "ld-linux", "ld-2."}) {
    if (absl::StartsWith(module, prefix)) return true;
  }
  return false;
}

// What called main(), and the function that libc starts it with; both have many names.
bool IsStart(const Frame& frame) {
  return frame.function == "_start" || absl::StartsWith(PublicName(frame.function), "libc_start_");
}

// Compilers number their clones of a function (" [clone .cold]", ".constprop.0") anew in every build.
absl::string_view WithoutClone(absl::string_view function) {
  const size_t bracket = function.find(" [clone ");
  if (bracket != absl::string_view::npos) return function.substr(0, bracket);
  for (const absl::string_view suffix : {".constprop.", ".isra.", ".part.", ".cold", ".llvm.", ".lto_priv."}) {
    const size_t at = function.find(suffix);
    if (at != absl::string_view::npos && at != 0) function = function.substr(0, at);
  }
  return function;
}

}  // namespace

std::string LeakId(Door door, const std::vector<Frame>& frames) {
  Hash hash;
  hash.Add(NameOf(door));
  const Frame* runtime = nullptr;  // the outermost frame of a run in the C library
  for (const Frame& frame : frames) {
    const absl::string_view module = BaseName(frame.module);
    if (IsRuntime(module)) {
      runtime = &frame;
      continue;
    }
    if (IsStart(frame) || (runtime != nullptr && IsStart(*runtime))) break;
    if (runtime != nullptr) hash.Add(absl::StrCat("libc:", PublicName(runtime->function)));
    runtime = nullptr;
    hash.Add(module);
    hash.Add(WithoutClone(frame.function));
    if (frame.function.empty() && !module.empty()) hash.Add(absl::StrCat(absl::Hex(frame.offset)));
  }
  return absl::StrCat(absl::Hex(hash.value(), absl::kZeroPad16));
}

}  // namespace mallocspy
