// Root words, put together to what people know by name: a global variable with all its words, a thread's stack, its registers.
//
// What is retained by a std::map in a global variable is retained by the variable, and by none of its three pointers alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/reader/snapshot.h"
#include "tools/verdict/frame_namer.h"

namespace mallocspy {

struct RootHolder {
  ledger::RootKind kind = ledger::RootKind::kNone;
  uint32_t tid = 0;      // 0 for what is no thread's
  uint32_t module = 0;   // of a global one: index in Snapshot::modules; 0 if not known
  uint64_t address = 0;  // its lowest word; 0 if only the kind is known
  uint64_t start = 0;    // of a variable: its first byte
  uint32_t words = 0;    // that hold pointers to blocks; 0 for one that only stands in the record
  std::string name;      // "g_cache", "stack of thread 4712 \"worker\"", "data of libfoo.so", "mapping at 0x7f..."
};

// "global", "stack", ...
absl::string_view NameOf(ledger::RootKind kind);

class RootHolders {
 public:
  // Reads the symbol tables of the modules that hold pointers; no debug information.
  RootHolders(const Snapshot& snapshot, FrameNamer* namer);

  const std::vector<RootHolder>& all() const { return holders_; }
  // For each of Snapshot::roots its place in all().
  const std::vector<uint32_t>& of_roots() const { return of_roots_; }
  const RootHolder& Of(uint32_t root) const { return holders_[of_roots_[root]]; }

  // One word of it: "g_cache+0x8 in prog", "stack of thread 4712 \"worker\" at 0x7ffe1230".
  std::string NameOfWord(uint32_t root) const;

 private:
  std::string ThreadText(uint32_t tid) const;
  std::string ModuleName(uint32_t module) const;
  uint32_t ModuleAt(uint64_t address) const;
  void Describe(RootHolder* holder, FrameNamer* namer, uint64_t* end) const;

  const Snapshot& snapshot_;
  std::vector<RootHolder> holders_;
  std::vector<uint32_t> of_roots_;
};

}  // namespace mallocspy
