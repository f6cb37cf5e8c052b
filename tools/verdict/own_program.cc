#include "tools/verdict/own_program.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/wording/base_name.h"

namespace mallocspy {
namespace {

constexpr absl::string_view kSystemFolders[] = {
    "/bin/",         "/sbin/",      "/lib/",       "/lib32/",     "/lib64/",     "/libx32/",
    "/usr/bin/",     "/usr/sbin/",  "/usr/lib/",   "/usr/lib32/", "/usr/lib64/", "/usr/libx32/",
    "/usr/libexec/", "/usr/games/", "/usr/share/", "/nix/store/", "/gnu/store/"};

// Without the version that a name may end with: python for python3.11, gcc for gcc-12.
constexpr absl::string_view kDrivers[] = {
    "ash",   "bash",   "bazel",   "busybox", "cmake", "cpack",       "ctest",    "dash",    "env",    "fish",
    "gmake", "just",   "ksh",     "make",    "meson", "ninja",       "node",     "perl",    "php",    "prove",
    "pypy",  "python", "ruby",    "sh",      "tclsh", "timeout",     "xargs",    "zsh",     "ar",     "as",
    "c++",   "cc",     "cc1",     "cc1plus", "clang", "clang++",     "collect2", "cpp",     "g++",    "gcc",
    "ld",    "ld.bfd", "ld.gold", "ld.lld",  "lld",   "lto-wrapper", "nm",       "objcopy", "ranlib", "strip"};

// "/opt/python/" of /opt/python/bin/python3; empty if the program does not lie in a folder bin.
absl::string_view Installation(absl::string_view program) {
  const size_t bin = program.rfind("/bin/");
  if (bin == absl::string_view::npos || program.substr(bin + 5).find('/') != absl::string_view::npos) return "";
  return program.substr(0, bin + 1);
}

}  // namespace

bool IsSystemPath(absl::string_view path) {
  return std::any_of(std::begin(kSystemFolders), std::end(kSystemFolders),
                     [path](absl::string_view folder) { return absl::StartsWith(path, folder); });
}

bool IsDriver(absl::string_view path) {
  const bool system = IsSystemPath(path);
  if (!system && !absl::EndsWith(path.substr(0, path.rfind('/') + 1), "/bin/")) return false;
  const absl::string_view whole = BaseName(path);
  absl::string_view name = whole;
  while (!name.empty() &&
         (absl::ascii_isdigit(static_cast<unsigned char>(name.back())) || name.back() == '.' || name.back() == '-')) {
    name.remove_suffix(1);
  }
  return std::any_of(std::begin(kDrivers), std::end(kDrivers), [&](absl::string_view driver) {
    // A system's compiler may have the machine's name in front: x86_64-linux-gnu-gcc-12.
    return name == driver || whole == driver || (system && absl::EndsWith(name, absl::StrCat("-", driver)));
  });
}

std::vector<std::string> OwnLibraries(const Snapshot& snapshot) {
  const absl::string_view installation = Installation(snapshot.exe);
  std::vector<std::string> libraries;
  for (const SnapshotModule& module : snapshot.modules) {
    if (!absl::StartsWith(module.path, "/") || module.self || module.path == snapshot.exe) continue;
    if (IsSystemPath(module.path) || absl::StartsWith(BaseName(module.path), "libmallocspy")) continue;
    if (installation.size() > 1 && absl::StartsWith(module.path, installation)) continue;
    libraries.push_back(module.path);
  }
  std::sort(libraries.begin(), libraries.end());
  libraries.erase(std::unique(libraries.begin(), libraries.end()), libraries.end());
  return libraries;
}

}  // namespace mallocspy
