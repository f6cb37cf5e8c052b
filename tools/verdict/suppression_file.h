// Suppression files, of LeakSanitizer and of Valgrind, both in one file if need be:
//
//     # a comment
//     #mallocspy: max-bytes=4k expires=2027-01-31 reason=fixed in 2.4
//     leak:libfoo.so
//     {
//        name
//        Memcheck:Leak
//        match-leak-kinds: definite,possible
//        #mallocspy: max-blocks=10 reason=one for each plugin
//        fun:make_*
//        ...
//        src:loader.cc:120
//        obj:*/libbar.so*
//     }
//
// What is our own stands in comments, so that LeakSanitizer and Valgrind read the same file as before.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/verdict/suppression.h"

namespace mallocspy {

// Blocks for other tools and other errors than leaks are checked and left out. The error is "FILE:LINE: SENTENCE".
absl::StatusOr<std::vector<Suppression>> ParseSuppressions(absl::string_view text, const std::string& file);

// Likewise; the error of a file that cannot be read names it.
absl::StatusOr<std::vector<Suppression>> ReadSuppressions(const std::string& path);

}  // namespace mallocspy
