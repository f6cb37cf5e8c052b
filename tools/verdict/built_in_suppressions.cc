#include "tools/verdict/built_in_suppressions.h"

#include "tools/verdict/suppression_file.h"

namespace mallocspy {
namespace {

// Each pattern begins at the allocation and lies in the library in question as a whole.
constexpr char kBuiltIn[] =
    "{\n"
    "   loader\n"
    "   Memcheck:Leak\n"
    "   #mallocspy: reason=the loader's own records of modules and thread-local storage, some held in their middle "
    "only\n"
    "   obj:*/ld-linux*\n"
    "}\n"
    "{\n"
    "   libc-search-trees\n"
    "   Memcheck:Leak\n"
    "   #mallocspy: reason=nodes of libc's own search trees, which hold each other with a colour in the pointer\n"
    "   fun:*tsearch\n"
    "   obj:*/libc.so*\n"
    "}\n"
    "{\n"
    "   libc-environment\n"
    "   Memcheck:Leak\n"
    "   #mallocspy: reason=values given to setenv(), which libc keeps for ever\n"
    "   fun:__add_to_environ\n"
    "}\n"
    "{\n"
    "   libstdc++-emergency-pool\n"
    "   Memcheck:Leak\n"
    "   #mallocspy: reason=memory for exceptions when there is no other, kept for ever\n"
    "   obj:*/libstdc++.so.6*\n"
    "   obj:*/ld-linux*\n"
    "}\n"
    "{\n"
    "   libstdc++-emergency-pool-with-debug-information\n"
    "   Memcheck:Leak\n"
    "   #mallocspy: reason=memory for exceptions when there is no other, kept for ever\n"
    "   ...\n"
    "   fun:_GLOBAL__sub_I_eh_alloc.cc\n"
    "   obj:*/ld-linux*\n"
    "}\n";

}  // namespace

absl::string_view BuiltInSuppressionsText() { return kBuiltIn; }

std::vector<Suppression> BuiltInSuppressions() {
  std::vector<Suppression> suppressions = *ParseSuppressions(kBuiltIn, "built-in");
  for (Suppression& suppression : suppressions) suppression.built_in = true;
  return suppressions;
}

}  // namespace mallocspy
