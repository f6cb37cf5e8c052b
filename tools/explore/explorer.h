// Carries out the explorer's commands, one line at a time, and keeps the sets between them.
//
//   Explorer explorer(&heap, TableFormat::kTable, width, sink);
//   const absl::Status done = explorer.ExecuteLine("blocks size>=1M");
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tools/explore/explored_heap.h"
#include "tools/explore/question.h"
#include "tools/explore/set_expression.h"
#include "tools/explore/table_writing.h"

namespace mallocspy {

class Explorer {
 public:
  // `width`: of the terminal, 0 for no limit. Answers go to `sink`; if it returns false, the rest of an answer is left out.
  Explorer(ExploredHeap* heap, TableFormat format, size_t width, TextSink sink)
      : heap_(*heap), format_(format), width_(width), sink_(std::move(sink)) {}

  // An empty line is none. The error is one sentence, safe to print.
  absl::Status ExecuteLine(absl::string_view line);
  absl::Status Execute(const std::vector<std::string>& words);

  bool quit() const { return quit_; }
  void set_width(size_t width) { width_ = width; }
  const NamedSets& sets() const { return sets_; }
  ExploredHeap& heap() { return heap_; }

 private:
  absl::Status Let(const std::vector<std::string>& words);
  absl::Status Help(const Question& question);
  absl::Status Write(const Question& question, const Answer& answer);
  absl::Status Run(const std::vector<std::string>& words);

  ExploredHeap& heap_;
  const TableFormat format_;
  size_t width_;
  const TextSink sink_;
  NamedSets sets_;
  bool quit_ = false;
};

}  // namespace mallocspy
