// What `mallocspy diff` found, as text and as JSON (schema "mallocspy-diff/1").
#pragma once

#include <string>
#include <vector>

#include "tools/verdict/heap_diff.h"
#include "tools/verdict/leak_diff.h"

namespace mallocspy {

// Stacks of all that changed; what stayed the same is only counted. With the heaps' difference, where both are dumps of one process, that
// comes first, and of the leaks only those that are lost are listed. `heap` may be null.
std::string DiffText(const std::vector<LeakChange>& changes, const HeapDiff* heap);

// {"schema", "summary": {"new": N, ...}, "changes": [{"id", "change", "class", "blocks", "bytes", "old_class",
// "old_blocks", "old_bytes", "frames": [{"module", "function", "file", "line"}]}], "heap"}; the class is the worst of the id's. "heap" is null, or
// {"made": {"blocks", "bytes"}, "gone": likewise, "stayed": likewise, "stacks": [{"door", "made", "gone", "frames"}]}.
std::string DiffJson(const std::vector<LeakChange>& changes, const HeapDiff* heap);

}  // namespace mallocspy
