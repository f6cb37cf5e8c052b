#include "tools/run/shipped_library.h"

#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tools/run/directory_listing.h"
#include "tools/wording/escape.h"
#include "tools/wording/nearest.h"

namespace mallocspy {
namespace {

constexpr char kLibrary[] = "libmallocspy.so";
constexpr char kSpyPrefix[] = "libmallocspy_";

// Absolute and free of links; empty if there is no such file.
std::string RealPath(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr), &std::free);
  return real != nullptr ? real.get() : "";
}

std::string Directory(const std::string& path) { return path.substr(0, path.rfind('/')); }

// NAME of each libmallocspy_NAME.so in `directory`.
std::vector<std::string> ShippedSpies(const std::string& directory) {
  std::vector<std::string> names;
  for (const std::string& file : ListDirectory(directory)) {
    absl::string_view name = file;
    if (absl::ConsumePrefix(&name, kSpyPrefix) && absl::ConsumeSuffix(&name, ".so")) names.emplace_back(name);
  }
  return names;
}

}  // namespace

absl::StatusOr<std::string> FindLibrary() {
  const char* const chosen = std::getenv("MALLOCSPY_LIBRARY");
  if (chosen != nullptr && *chosen != '\0') {
    const std::string path = RealPath(chosen);
    if (!path.empty()) return path;
    return absl::NotFoundError(absl::StrCat("MALLOCSPY_LIBRARY names '", Escaped(chosen), "', which does not exist"));
  }
  const std::string bin = Directory(RealPath("/proc/self/exe"));
  for (const char* const place : {"/../lib/", "/../" MALLOCSPY_LIBDIR "/", "/"}) {
    const std::string path = RealPath(absl::StrCat(bin, place, kLibrary));
    if (!path.empty()) return path;
  }
  return absl::NotFoundError(absl::StrCat(kLibrary, " is not in ", bin,
                                          "/../lib: set MALLOCSPY_LIBRARY to its path, "
                                          "or install mallocspy again"));
}

absl::StatusOr<std::string> ResolveSpy(absl::string_view spy, const std::string& library) {
  if (absl::StrContains(spy, "\n")) return absl::InvalidArgumentError("--spy: a value cannot contain a line break");
  const absl::string_view name = spy.substr(0, spy.find(':'));
  const absl::string_view arguments = spy.substr(name.size());
  const bool bare = !absl::StrContains(name, "/") && !absl::StrContains(name, ".so");
  if (name.empty()) return absl::InvalidArgumentError("--spy needs LIB.so[:ARGS], or the name of a shipped spy");
  const std::string directory = Directory(library);
  const std::string path = RealPath(bare ? absl::StrCat(directory, "/", kSpyPrefix, name, ".so") : std::string(name));
  if (!path.empty()) return absl::StrCat(path, arguments);
  if (bare) {
    const std::vector<std::string> shipped = ShippedSpies(directory);
    if (!shipped.empty()) return absl::InvalidArgumentError(NotAmong("--spy", name, shipped));
    return absl::InvalidArgumentError(
        absl::StrCat("--spy: no spy is installed beside the library, in ", Escaped(directory), ", so '", Escaped(name),
                     "' cannot be found there; name a file, as in --spy=./", Escaped(name), ".so"));
  }
  return absl::InvalidArgumentError(absl::StrCat("--spy: there is no file '", Escaped(name), "'"));
}

}  // namespace mallocspy
