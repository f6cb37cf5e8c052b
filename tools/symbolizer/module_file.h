// One loaded module's files, opened offline: the module itself and its debug information.
#pragma once

#include <elfutils/libdwfl.h>

#include <memory>
#include <string>
#include <string_view>

namespace mallocspy {

// Owner of a libdwfl session that holds one module. Addresses that go in and come out are the module's own (ELF
// virtual addresses); libdwfl places the module elsewhere, and the two biases below lead there.
class ModuleFile {
 public:
  // The module at `path` if it is the one with `build_id`, else one with this build-id found by `debug_path`, else
  // nullptr. `debug_path` must outlive the result. See Symbolizer::Resolve for what is accepted.
  static std::unique_ptr<ModuleFile> Open(const std::string& path, std::string_view build_id, char** debug_path);
  ~ModuleFile();
  ModuleFile(const ModuleFile&) = delete;
  ModuleFile& operator=(const ModuleFile&) = delete;

  Dwfl_Module* dwfl_module() const { return module_; }
  // What libdwfl added to the module's addresses.
  Dwarf_Addr bias() const { return bias_; }
  // The debug information, or nullptr; dwarf_bias() is what to subtract from libdwfl's address to look in it.
  Dwarf* dwarf() const { return dwarf_; }
  Dwarf_Addr dwarf_bias() const { return dwarf_bias_; }

 private:
  ModuleFile() = default;
  bool Report(const std::string& name, int fd, std::string_view build_id);

  Dwfl_Callbacks callbacks_ = {};
  Dwfl* dwfl_ = nullptr;
  Dwfl_Module* module_ = nullptr;
  Dwarf* dwarf_ = nullptr;
  Dwarf_Addr bias_ = 0;
  Dwarf_Addr dwarf_bias_ = 0;
};

}  // namespace mallocspy
