#include "tools/verdict/leak_id.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

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

absl::string_view Basename(absl::string_view path) { return path.substr(path.rfind('/') + 1); }

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
  for (const Frame& frame : frames) {
    hash.Add(Basename(frame.module));
    hash.Add(WithoutClone(frame.function));
  }
  return absl::StrCat(absl::Hex(hash.value(), absl::kZeroPad16));
}

}  // namespace mallocspy
