// Names for code addresses: function, file and line, with inlined calls unfolded.
//
//   Symbolizer symbolizer;
//   for (const SourceFrame& frame : symbolizer.Resolve("/usr/lib/libfoo.so.1", build_id, return_address - bias)) {
//     // innermost inlined function first, the physical function last
//   }
//
// Works on files only, never on a process: the module that was loaded, its separate debug file (build-id or
// .gnu_debuglink), its compressed symbols (.gnu_debugdata), at last its symbol tables. A server is asked
// (debuginfod) only when DEBUGINFOD_URLS is set.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mallocspy {

// A function that was executing, and where.
struct SourceFrame {
  std::string function;  // demangled; empty if not known
  std::string file;      // as the compiler recorded it; empty if not known
  int line = 0;          // 1 is the first, 0 not known
  int column = 0;        // likewise
  bool inlined = false;  // inlined into the frame that follows
  std::string symbol;    // the linker's name of the function, without version; empty if not known, or of C
};

// A variable of a module, or other data with a name: a table of virtual functions, for example.
struct DataSymbol {
  std::string name;    // demangled; empty if none is known
  uint64_t start = 0;  // its first byte, in the module's own terms
  uint64_t end = 0;    // one past its last
};

struct SymbolizerOptions {
  // Where separate debug files are searched, in libdw's notation: colon-separated; a relative entry is looked for
  // beside the module; an absolute one also holds a .build-id directory.
  std::string debug_path = ":.debug:/usr/lib/debug";
};

// Owns the opened files and all that was read from them, for its lifetime. Not for use by two threads at once.
class Symbolizer {
 public:
  Symbolizer();
  explicit Symbolizer(SymbolizerOptions options);
  ~Symbolizer();
  Symbolizer(const Symbolizer&) = delete;
  Symbolizer& operator=(const Symbolizer&) = delete;

  // The functions at the call that returns to `return_offset`, an address in the module's own terms (the ELF virtual
  // address: program counter minus load bias). Innermost first; all but the last are inlined. Empty when nothing is
  // known, which is never an error: the file is gone, was replaced since (its build-id is not `build_id_bytes`, and
  // no debug directory has the right one), is no ELF file, has no name for the address.
  // An empty `build_id_bytes` means that none was recorded, and any file is believed.
  std::vector<SourceFrame> Resolve(const std::string& module_path, std::string_view build_id_bytes,
                                   uint64_t return_offset);

  // The data at `offset`, an address in the module's own terms.
  DataSymbol FindData(const std::string& module_path, std::string_view build_id_bytes, uint64_t offset);
  // Its name alone; empty when none is known.
  std::string DataName(const std::string& module_path, std::string_view build_id_bytes, uint64_t offset);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mallocspy
