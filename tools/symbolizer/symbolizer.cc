#include "tools/symbolizer/symbolizer.h"

#include <unordered_map>
#include <utility>

#include "tools/symbolizer/debug_info.h"
#include "tools/symbolizer/demangler.h"
#include "tools/symbolizer/module_file.h"
#include "tools/symbolizer/string_pool.h"
#include "tools/symbolizer/symbol_table.h"

namespace mallocspy {
namespace {

// The part of a symbol's name before its version ("memcpy@@GLIBC_2.14").
std::string_view WithoutVersion(std::string_view symbol) { return symbol.substr(0, symbol.find('@')); }

}  // namespace

class Symbolizer::Impl {
 public:
  explicit Impl(SymbolizerOptions options)
      : debug_path_text_(std::move(options.debug_path)), debug_path_(debug_path_text_.data()) {}

  std::vector<SourceFrame> Resolve(const std::string& path, std::string_view build_id, uint64_t return_offset);
  DataSymbol FindData(const std::string& path, std::string_view build_id, uint64_t offset);

 private:
  struct Frame {
    uint32_t function;
    uint32_t symbol;
    uint32_t file;
    int line;
    int column;
  };
  // Declared in the order of dependence: the tables borrow from the file.
  struct Module {
    std::unique_ptr<ModuleFile> file;
    std::unique_ptr<DebugInfo> debug_info;
    std::unique_ptr<SymbolTable> symbols;  // made when first needed, like the next
    std::unique_ptr<SymbolTable> variables;
    std::unordered_map<uint64_t, std::vector<Frame>> resolved;
  };

  Module& ModuleFor(const std::string& path, std::string_view build_id);
  std::vector<Frame> Find(Module& module, uint64_t address);
  const char* SymbolAt(Module& module, uint64_t address);
  uint32_t Demangled(const char* name);

  std::string debug_path_text_;
  char* debug_path_;  // libdwfl wants the address of a pointer
  std::unordered_map<std::string, Module> modules_;
  std::unordered_map<const char*, uint32_t> demangled_;  // by address: the files' strings stay where they are
  StringPool strings_;
};

std::vector<SourceFrame> Symbolizer::Impl::Resolve(const std::string& path, std::string_view build_id,
                                                   uint64_t return_offset) {
  Module& module = ModuleFor(path, build_id);
  if (module.file == nullptr || return_offset == 0) return {};
  // The call is before the address to which it returns, which may even belong to the next function.
  const uint64_t address = return_offset - 1;
  const auto [entry, is_new] = module.resolved.try_emplace(address);
  if (is_new) entry->second = Find(module, address);
  std::vector<SourceFrame> frames;
  frames.reserve(entry->second.size());
  for (const Frame& frame : entry->second) {
    frames.push_back({strings_[frame.function], strings_[frame.file], frame.line, frame.column, true,
                      strings_[frame.symbol]});
  }
  if (!frames.empty()) frames.back().inlined = false;
  return frames;
}

Symbolizer::Impl::Module& Symbolizer::Impl::ModuleFor(const std::string& path, std::string_view build_id) {
  std::string key = path;
  key.push_back('\0');
  key.append(build_id);
  const auto [entry, is_new] = modules_.try_emplace(std::move(key));
  Module& module = entry->second;
  if (is_new) {
    module.file = ModuleFile::Open(path, build_id, &debug_path_);
    if (module.file != nullptr && module.file->dwarf() != nullptr) {
      module.debug_info = std::make_unique<DebugInfo>(module.file->dwarf());
    }
  }
  return module;
}

std::vector<Symbolizer::Impl::Frame> Symbolizer::Impl::Find(Module& module, uint64_t address) {
  std::vector<DebugFrame> found;
  if (module.debug_info != nullptr) {
    found = module.debug_info->FramesAt(address + module.file->bias() - module.file->dwarf_bias());
  }
  std::vector<Frame> frames;
  for (const DebugFrame& frame : found) {
    uint32_t function = 0, symbol = 0;
    if (frame.function != nullptr) {
      function = frame.linkage_name ? Demangled(frame.function) : strings_.Add(frame.function);
      if (frame.linkage_name) symbol = strings_.Add(frame.function);
    }
    frames.push_back({function, symbol, strings_.Add(frame.file != nullptr ? frame.file : ""), frame.line, frame.column});
  }
  if (!found.empty() && found.back().linkage_name) return frames;
  // The physical function has a plain name only ("Parse" in C++ without linkage names) or none: its symbol says more,
  // provided that it is the same function.
  const char* symbol = SymbolAt(module, address);
  if (symbol == nullptr) return frames;
  const uint32_t function = Demangled(symbol), symbol_name = strings_.Add(WithoutVersion(symbol));
  if (frames.empty()) {
    frames.push_back({function, symbol_name, 0, 0, 0});
  } else if (strings_[function].find(strings_[frames.back().function]) != std::string::npos) {
    frames.back().function = function;
    frames.back().symbol = symbol_name;
  }
  return frames;
}

const char* Symbolizer::Impl::SymbolAt(Module& module, uint64_t address) {
  if (module.symbols == nullptr) {
    module.symbols = std::make_unique<SymbolTable>(module.file->dwfl_module(), module.file->bias());
  }
  return module.symbols->Find(address);
}

DataSymbol Symbolizer::Impl::FindData(const std::string& path, std::string_view build_id, uint64_t offset) {
  Module& module = ModuleFor(path, build_id);
  if (module.file == nullptr) return {};
  if (module.variables == nullptr) {
    module.variables = std::make_unique<SymbolTable>(module.file->dwfl_module(), module.file->bias(), SymbolTable::Of::kData);
  }
  DataSymbol data;
  const char* const symbol = module.variables->Find(offset, &data.start, &data.end);
  if (symbol != nullptr) data.name = strings_[Demangled(symbol)];
  return data;
}

uint32_t Symbolizer::Impl::Demangled(const char* name) {
  const auto [entry, is_new] = demangled_.try_emplace(name, 0);
  if (is_new) entry->second = strings_.Add(Demangle(WithoutVersion(name)));
  return entry->second;
}

Symbolizer::Symbolizer() : Symbolizer(SymbolizerOptions()) {}
Symbolizer::Symbolizer(SymbolizerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Symbolizer::~Symbolizer() = default;

std::vector<SourceFrame> Symbolizer::Resolve(const std::string& module_path, std::string_view build_id_bytes,
                                             uint64_t return_offset) {
  return impl_->Resolve(module_path, build_id_bytes, return_offset);
}

DataSymbol Symbolizer::FindData(const std::string& module_path, std::string_view build_id_bytes, uint64_t offset) {
  return impl_->FindData(module_path, build_id_bytes, offset);
}

std::string Symbolizer::DataName(const std::string& module_path, std::string_view build_id_bytes, uint64_t offset) {
  return FindData(module_path, build_id_bytes, offset).name;
}

}  // namespace mallocspy
