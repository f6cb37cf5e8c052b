#include "tools/symbolizer/module_file.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <gelf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace mallocspy {
namespace {

// As many bytes of a build-id as a ledger records; a longer one is compared by its beginning.
constexpr size_t kRecordedBuildIdBytes = 32;

// The file opened for reading, or -1. Snapshots name files, and a snapshot is not trusted: a FIFO or a device must
// neither block nor be read.
int OpenRegularFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return -1;
  struct stat status;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) return fd;
  close(fd);
  return -1;
}

bool SameBuildId(Elf* elf, std::string_view recorded) {
  if (recorded.empty()) return true;
  const void* bits = nullptr;
  const ssize_t bytes = dwelf_elf_gnu_build_id(elf, &bits);
  if (bytes <= 0) return false;
  std::string_view found(static_cast<const char*>(bits), static_cast<size_t>(bytes));
  if (recorded.size() == kRecordedBuildIdBytes) found = found.substr(0, kRecordedBuildIdBytes);
  return found == recorded;
}

// Whether the open file is an executable or a shared object, and the one asked for. Checked before libdwfl sees it,
// which would as well unpack archives and relocate object files.
bool Acceptable(int fd, std::string_view build_id) {
  elf_version(EV_CURRENT);
  Elf* elf = elf_begin(fd, ELF_C_READ_MMAP, nullptr);
  if (elf == nullptr) return false;
  GElf_Ehdr header;
  const bool acceptable = elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &header) != nullptr &&
                          (header.e_type == ET_EXEC || header.e_type == ET_DYN) && SameBuildId(elf, build_id);
  elf_end(elf);
  return acceptable;
}

// A file with this build-id from the debug directories (or the servers of DEBUGINFOD_URLS): the module itself if
// there is a copy, else its debug file, which has the same addresses. An open descriptor, or -1.
int OpenByBuildId(std::string_view build_id, const Dwfl_Callbacks& callbacks) {
  Dwfl* dwfl = dwfl_begin(&callbacks);
  if (dwfl == nullptr) return -1;
  int fd = -1;
  dwfl_report_begin(dwfl);
  Dwfl_Module* module = dwfl_report_module(dwfl, "module", 0x10000, 0x20000);
  if (module != nullptr && dwfl_module_report_build_id(module, reinterpret_cast<const unsigned char*>(build_id.data()),
                                                       build_id.size(), 0) == 0) {
    char* file_name = nullptr;
    Elf* elf = nullptr;
    fd = dwfl_build_id_find_elf(module, nullptr, "module", 0x10000, &file_name, &elf);
    if (elf != nullptr) elf_end(elf);
    free(file_name);
    file_name = nullptr;
    if (fd < 0) {
      fd = dwfl_standard_find_debuginfo(module, nullptr, "module", 0x10000, nullptr, nullptr, 0, &file_name);
      free(file_name);
    }
  }
  dwfl_report_end(dwfl, nullptr, nullptr);
  dwfl_end(dwfl);
  return fd;
}

}  // namespace

std::unique_ptr<ModuleFile> ModuleFile::Open(const std::string& path, std::string_view build_id, char** debug_path) {
  // "[vdso]", "linux-vdso.so.1": code that came from no file.
  if (path.find('/') == std::string::npos || path.find('\0') != std::string::npos) return nullptr;
  std::unique_ptr<ModuleFile> file(new ModuleFile);
  file->callbacks_.find_elf = dwfl_build_id_find_elf;
  file->callbacks_.find_debuginfo = dwfl_standard_find_debuginfo;
  file->callbacks_.section_address = dwfl_offline_section_address;
  file->callbacks_.debuginfo_path = debug_path;
  int fd = OpenRegularFile(path);
  if (fd >= 0 && file->Report(path, fd, build_id)) return file;
  if (build_id.empty()) return nullptr;
  fd = OpenByBuildId(build_id, file->callbacks_);
  if (fd >= 0 && file->Report(path, fd, build_id)) return file;
  return nullptr;
}

// Takes `fd` over, whatever the outcome.
bool ModuleFile::Report(const std::string& name, int fd, std::string_view build_id) {
  if (!Acceptable(fd, build_id) || (dwfl_ = dwfl_begin(&callbacks_)) == nullptr) {
    close(fd);
    return false;
  }
  dwfl_report_begin(dwfl_);
  module_ = dwfl_report_offline(dwfl_, name.c_str(), name.c_str(), fd);
  if (module_ == nullptr) close(fd);
  dwfl_report_end(dwfl_, nullptr, nullptr);
  if (module_ == nullptr || dwfl_module_getelf(module_, &bias_) == nullptr) {
    dwfl_end(std::exchange(dwfl_, nullptr));
    module_ = nullptr;
    return false;
  }
  dwarf_ = dwfl_module_getdwarf(module_, &dwarf_bias_);
  return true;
}

ModuleFile::~ModuleFile() {
  if (dwfl_ != nullptr) dwfl_end(dwfl_);
}

}  // namespace mallocspy
