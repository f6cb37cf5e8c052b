// The stacks as Chrome's .heapsnapshot has them: functions, and a tree of calls whose nodes count allocations.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/export/byte_sink.h"
#include "tools/export/named_stacks.h"

namespace mallocspy {

class TraceTree {
 public:
  // `string` gives the number of a text in the file's table.
  TraceTree(const NamedStacks& stacks, const std::function<uint64_t(absl::string_view)>& string);

  size_t functions() const { return functions_; }

  // The value of a block's trace_node_id by its index in Snapshot::stacks; 0 for none.
  uint64_t IdOf(uint32_t stack) const { return id_of_stack_[stack]; }

  // The values of trace_function_infos and trace_tree, without the brackets around them.
  void WriteFunctions(ByteSink* sink) const { sink->Append(function_infos_); }
  void WriteTree(ByteSink* sink) const;

 private:
  void AddFunctions(const std::function<uint64_t(absl::string_view)>& string);
  void NumberNodes();
  void Enter(uint32_t node, ByteSink* sink) const;

  const NamedStacks& stacks_;
  size_t functions_ = 0;
  std::string function_infos_;
  std::vector<std::vector<uint32_t>> infos_of_site_;  // innermost function first
  std::vector<uint64_t> first_id_;                    // by node: of its outermost function
  std::vector<uint64_t> id_of_stack_;
  std::vector<StackCounts> counts_;  // by node
  // The children of a node are a list: its last one, and of each the one before.
  std::vector<uint32_t> last_child_;
  std::vector<uint32_t> sibling_;
};

}  // namespace mallocspy
