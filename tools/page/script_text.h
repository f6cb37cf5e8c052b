// JSON that can stand in a <script> element of a page.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace mallocspy {

// The same JSON value, without "<", ">", "&" and the line ends that only Unicode knows: nothing in it ends the element
// or begins a comment. They occur in strings only, where \uNNNN stands for them.
std::string ScriptText(absl::string_view json);

}  // namespace mallocspy
