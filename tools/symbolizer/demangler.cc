#include "tools/symbolizer/demangler.h"

#include <libiberty/demangle.h>

#include <cctype>
#include <csetjmp>
#include <cstddef>

namespace mallocspy {
namespace {

// Back references let a short mangled name stand for an enormous one; beyond these limits the mangled form is the
// more readable one anyway.
constexpr size_t kMaxMangledBytes = 32 * 1024;
constexpr size_t kMaxDemangledBytes = 64 * 1024;

// Takes the pieces of a demangled name. Demanglers cannot be told to stop, and dropping what is too much would still
// cost the hours of making it: so a full sink leaves them by longjmp. They are C code that keeps its state on the
// stack, and no frame between has a destructor.
struct Sink {
  std::string text;
  std::jmp_buf too_long;
};

void Append(const char* piece, size_t bytes, void* opaque) {
  auto* sink = static_cast<Sink*>(opaque);
  if (bytes > kMaxDemangledBytes - sink->text.size()) std::longjmp(sink->too_long, 1);
  sink->text.append(piece, bytes);
}

using Demangler = int (*)(const char* mangled, int options, demangle_callbackref callback, void* opaque);

// The demangled name, or "" if it is none or too long.
std::string Run(Demangler demangler, const char* mangled, int options) {
  Sink sink;
  if (setjmp(sink.too_long) != 0 || demangler(mangled, options, &Append, &sink) == 0) return std::string();
  return sink.text;
}

// LLVM appends ".llvm.<number>" to local functions that it made global; it is no part of the name.
std::string_view WithoutLlvmSuffix(std::string_view name) {
  const size_t dot = name.rfind(".llvm.");
  if (dot == std::string_view::npos) return name;
  for (char digit : name.substr(dot + 6)) {
    if (!std::isxdigit(static_cast<unsigned char>(digit)) && digit != '@') return name;
  }
  return name.substr(0, dot);
}

bool LooksMangled(std::string_view name) {
  return name.starts_with("_Z") || name.starts_with("_R") || name.starts_with("__Z");
}

}  // namespace

std::string Demangle(std::string_view name) {
  if (!LooksMangled(name) || name.size() > kMaxMangledBytes) return std::string(name);
  const std::string mangled(WithoutLlvmSuffix(name));
  // Rust first: a legacy Rust name is a well-formed C++ name too, but would keep its hash and escapes.
  std::string source = Run(&rust_demangle_callback, mangled.c_str(), DMGL_NO_OPTS);
  if (source.empty()) source = Run(&cplus_demangle_v3_callback, mangled.c_str(), DMGL_PARAMS | DMGL_ANSI);
  if (!source.empty()) return source;
  return std::string(name);
}

}  // namespace mallocspy
