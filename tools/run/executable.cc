#include "tools/run/executable.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/wording/escape.h"

namespace mallocspy {
namespace {

constexpr int kMostInterpreters = 5;     // the kernel's own limit of scripts that run scripts
constexpr size_t kFirstLineBytes = 256;  // likewise of "#!" lines
constexpr size_t kLongestLoaderPath = 4096;

class File {
 public:
  explicit File(const std::string& path) : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool opened() const { return descriptor_ >= 0; }
  // Up to `bytes` bytes at `offset`; fewer at the file's end.
  std::string Read(uint64_t offset, size_t bytes) const {
    std::string text(bytes, '\0');
    const ssize_t got = pread(descriptor_, text.data(), bytes, static_cast<off_t>(offset));
    text.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return text;
  }

 private:
  const int descriptor_;
};

std::optional<Elf64_Ehdr> ReadElfHeader(const File& file) {
  const std::string bytes = file.Read(0, sizeof(Elf64_Ehdr));
  // The headers of 32-bit files are shorter; what is read here lies at the same place.
  if (bytes.size() < sizeof(Elf32_Ehdr) || bytes.compare(0, SELFMAG, ELFMAG) != 0) return std::nullopt;
  Elf64_Ehdr header = {};
  std::memcpy(&header, bytes.data(), bytes.size());
  return header;
}

// Of this command, which was built with the library.
const std::optional<Elf64_Ehdr>& OwnElfHeader() {
  static const auto& header = *new std::optional<Elf64_Ehdr>(ReadElfHeader(File("/proc/self/exe")));
  return header;
}

// Path of the dynamic loader; empty if the program does without.
std::string Loader(const File& file, const Elf64_Ehdr& header) {
  if (header.e_phentsize != sizeof(Elf64_Phdr)) return "";
  const std::string bytes = file.Read(header.e_phoff, size_t{header.e_phnum} * sizeof(Elf64_Phdr));
  for (size_t at = 0; at + sizeof(Elf64_Phdr) <= bytes.size(); at += sizeof(Elf64_Phdr)) {
    Elf64_Phdr segment;
    std::memcpy(&segment, bytes.data() + at, sizeof(segment));
    if (segment.p_type != PT_INTERP || segment.p_filesz == 0 || segment.p_filesz > kLongestLoaderPath) continue;
    const std::string path = file.Read(segment.p_offset, segment.p_filesz);
    return path.substr(0, path.find('\0'));
  }
  return "";
}

std::string WhyNotElf(const File& file, const Elf64_Ehdr& header) {
  const std::optional<Elf64_Ehdr>& own = OwnElfHeader();
  if (own.has_value() &&
      (header.e_machine != own->e_machine || std::memcmp(header.e_ident, own->e_ident, EI_VERSION) != 0)) {
    return absl::StrCat("is built for another architecture (", header.e_ident[EI_CLASS] == ELFCLASS32 ? "32-bit, " : "",
                        "ELF machine ", header.e_machine, ") than libmallocspy.so");
  }
  const std::string loader = Loader(file, header);
  if (loader.empty()) {
    return "is statically linked, so libmallocspy.so cannot be loaded into it; link it dynamically, or with "
           "libmallocspy.so, to check it";
  }
  if (absl::StrContains(loader, "ld-musl")) {
    return absl::StrCat("uses musl (", Escaped(loader), "), and libmallocspy.so needs glibc");
  }
  return "";
}

// Whether the kernel would give the program other rights than ours; the loader then ignores LD_PRELOAD.
std::string WhyPrivileged(const std::string& path) {
  struct stat file;
  struct statvfs file_system;
  if (stat(path.c_str(), &file) != 0) return "";
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) return "";
  if (statvfs(path.c_str(), &file_system) == 0 && (file_system.f_flag & ST_NOSUID) != 0) return "";
  const char* what = nullptr;
  if ((file.st_mode & S_ISUID) != 0 && file.st_uid != getuid()) what = "setuid";
  if ((file.st_mode & S_ISGID) != 0 && (file.st_mode & S_IXGRP) != 0 && file.st_gid != getgid()) what = "setgid";
  if (what == nullptr && getuid() != 0 && getxattr(path.c_str(), "security.capability", nullptr, 0) > 0) {
    what = "given capabilities (setcap)";
  }
  if (what == nullptr) return "";
  return absl::StrCat("is ", what, ", and the loader preloads nothing into such programs; run a copy without it");
}

// The path in a "#!" line; empty if the file does not begin with one.
std::string Interpreter(const File& file) {
  std::string line = file.Read(0, kFirstLineBytes);
  if (!absl::StartsWith(line, "#!")) return "";
  line = line.substr(2, line.find('\n') - 2);
  const absl::string_view stripped = absl::StripLeadingAsciiWhitespace(line);
  return std::string(stripped.substr(0, stripped.find_first_of(" \t")));
}

}  // namespace

// The kernel refuses such a file, and execvp would then give it to the shell as if it were a script.
std::string WhyNotExecutable(const std::string& path) {
  const File file(path);
  if (!file.opened() || file.Read(0, SELFMAG) != ELFMAG) return "";
  const std::optional<Elf64_Ehdr> header = ReadElfHeader(file);
  bool whole = header.has_value();
  if (whole && header->e_ident[EI_CLASS] == ELFCLASS64) {
    const size_t table_bytes = size_t{header->e_phnum} * header->e_phentsize;
    whole = file.Read(0, sizeof(Elf64_Ehdr)).size() == sizeof(Elf64_Ehdr) &&
            file.Read(header->e_phoff, table_bytes).size() == table_bytes;
  }
  return whole ? "" : "it is a truncated ELF file; build or copy it again";
}

std::string WhyNotRecordable(const std::string& path) {
  std::string subject = path;
  for (int i = 0; i < kMostInterpreters; ++i) {
    const File file(subject);
    if (!file.opened()) return "";  // may be executable and not readable
    const std::optional<Elf64_Ehdr> header = ReadElfHeader(file);
    std::string reason;
    std::string interpreter;
    if (header.has_value()) {
      reason = WhyNotElf(file, *header);
      if (reason.empty()) reason = WhyPrivileged(subject);
    } else {
      interpreter = Interpreter(file);
      if (interpreter.empty()) return "";  // left to the kernel, or to the shell
    }
    if (!reason.empty()) {
      return subject == path ? reason : absl::StrCat("is run by ", Escaped(subject), ", which ", reason);
    }
    if (interpreter.empty()) return "";
    subject = interpreter;
  }
  return "";
}

}  // namespace mallocspy
