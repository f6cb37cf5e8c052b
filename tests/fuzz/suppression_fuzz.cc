// Feeds arbitrary text to the reader of suppression files, and what it accepts to the matching of leaks.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tools/verdict/suppression_file.h"

namespace {

// A leak with some of everything that patterns look at.
mallocspy::Leak SampleLeak() {
  mallocspy::Leak leak;
  leak.door = mallocspy::Door::kNew;
  for (const char* const function : {"", "ns::make(int, char const*) const", "operator()", "main"}) {
    mallocspy::Frame& frame = leak.frames.emplace_back();
    frame.function = function;
    frame.symbol = "_ZN2ns4makeEiPKc";
    frame.module = "/opt/lib/libfoo.so.1";
    frame.file = "/src/foo.cc";
    frame.line = 12;
    frame.inlined = leak.frames.size() == 2;
  }
  return leak;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const mallocspy::Leak& leak = *new mallocspy::Leak(SampleLeak());
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<std::vector<mallocspy::Suppression>> suppressions =
      mallocspy::ParseSuppressions(absl::string_view(text.data(), text.size()), "fuzz");
  if (!suppressions.ok()) {
    // One printable line that names the place.
    const absl::string_view error = suppressions.status().message();
    if (error.substr(0, 5) != "fuzz:" || error.find('\n') != absl::string_view::npos) abort();
    return 0;
  }
  for (const mallocspy::Suppression& suppression : *suppressions) {
    if (suppression.line <= 0 || (suppression.text_pattern.empty() && suppression.frames.empty())) abort();
    mallocspy::Matches(suppression, leak);
  }
  return 0;
}
