// What `mallocspy diff` found, as text and as JSON (schema "mallocspy-diff/1").
#pragma once

#include <string>
#include <vector>

#include "tools/verdict/leak_diff.h"

namespace mallocspy {

// Stacks of all that changed; what stayed the same is only counted.
std::string DiffText(const std::vector<LeakChange>& changes);

// {"schema", "summary": {"new": N, ...}, "changes": [{"id", "change", "class", "blocks", "bytes", "old_class",
// "old_blocks", "old_bytes", "frames": [{"module", "function", "file", "line"}]}]}; the class is the worst of the id's.
std::string DiffJson(const std::vector<LeakChange>& changes);

}  // namespace mallocspy
