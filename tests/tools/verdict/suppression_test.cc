#include "tools/verdict/suppression.h"

#include <gtest/gtest.h>

namespace mallocspy {
namespace {

using Kind = FramePattern::Kind;

Frame Named(const std::string& function, const std::string& symbol = "") {
  Frame frame;
  frame.module = "/opt/lib/libfoo.so.1";
  frame.function = function;
  frame.symbol = symbol;
  frame.file = "/src/foo/bar.cc";
  frame.line = 12;
  return frame;
}

Leak Through(const std::vector<std::string>& functions, Door door = Door::kMalloc) {
  Leak leak;
  leak.leak_class = LeakClass::kDefinite;
  leak.door = door;
  for (const std::string& function : functions) leak.frames.push_back(Named(function));
  return leak;
}

Suppression Frames(const std::vector<FramePattern>& frames) {
  Suppression suppression;
  suppression.frames = frames;
  return suppression;
}

Suppression Functions(const std::vector<std::string>& globs) {
  std::vector<FramePattern> frames;
  for (const std::string& glob : globs) {
    frames.push_back(glob == "..." ? FramePattern{} : FramePattern{Kind::kFunction, glob});
  }
  return Frames(frames);
}

bool FunctionMatches(const std::string& glob, const Frame& frame) {
  Leak leak = Through({});
  leak.frames = {frame};
  return Matches(Frames({{Kind::kFunction, glob}}), leak);
}

TEST(Suppression, Globs) {
  EXPECT_TRUE(GlobMatches("a*c?e", "abbbcde"));
  EXPECT_TRUE(GlobMatches("*", ""));
  EXPECT_TRUE(GlobMatches("*ab", "aab"));
  EXPECT_FALSE(GlobMatches("a", "ab"));
  EXPECT_FALSE(GlobMatches("?", ""));
  EXPECT_FALSE(GlobMatches("", "a"));
  EXPECT_FALSE(GlobMatches("*" + std::string(200, 'a') + "b", std::string(100000, 'a')));  // in time, too
}

TEST(Suppression, TextPatternsAreAnyPartUnlessTied) {
  EXPECT_TRUE(TextPatternMatches("oo", "foobar"));
  EXPECT_TRUE(TextPatternMatches("f*r", "xfoobarx"));
  EXPECT_TRUE(TextPatternMatches("^foo", "foobar"));
  EXPECT_FALSE(TextPatternMatches("^oo", "foobar"));
  EXPECT_TRUE(TextPatternMatches("bar$", "foobar"));
  EXPECT_FALSE(TextPatternMatches("foo$", "foobar"));
  EXPECT_TRUE(TextPatternMatches("^f*r$", "foobar"));
  EXPECT_FALSE(TextPatternMatches("f?o", "foo"));  // no wildcard there
  EXPECT_FALSE(TextPatternMatches("*", ""));
}

TEST(Suppression, ATextPatternLooksAtModuleFunctionAndFileOfEachFrame) {
  Suppression suppression;
  const Leak leak = Through({"inner", "ns::outer(int)"});
  for (const char* const pattern : {"libfoo.so", "ns::outer", "^inner$", "foo/bar.cc", "*"}) {
    suppression.text_pattern = pattern;
    EXPECT_TRUE(Matches(suppression, leak)) << pattern;
  }
  suppression.text_pattern = "libbar";
  EXPECT_FALSE(Matches(suppression, leak));
  suppression.text_pattern = "*";
  EXPECT_FALSE(Matches(suppression, Leak()));
}

TEST(Suppression, FramesAreTheInnermostOnes) {
  const Leak leak = Through({"a", "b", "c", "main"});
  EXPECT_TRUE(Matches(Functions({"a"}), leak));
  EXPECT_TRUE(Matches(Functions({"a", "b"}), leak));
  EXPECT_FALSE(Matches(Functions({"b"}), leak));
  EXPECT_FALSE(Matches(Functions({"a", "c"}), leak));
  EXPECT_TRUE(Matches(Functions({"a", "...", "c"}), leak));
  EXPECT_TRUE(Matches(Functions({"a", "...", "b"}), leak));  // none is some
  EXPECT_TRUE(Matches(Functions({"...", "main"}), leak));
  EXPECT_TRUE(Matches(Functions({"a", "..."}), leak));
  EXPECT_FALSE(Matches(Functions({"a", "...", "d"}), leak));
  EXPECT_FALSE(Matches(Functions({"a", "b", "c", "main", "*"}), leak));
  EXPECT_TRUE(Matches(Functions({"...", "b", "...", "main"}), leak));
  EXPECT_FALSE(Matches(Functions({"...", "c", "...", "b"}), leak));
}

TEST(Suppression, ValgrindsAllocationFrameMayBeThere) {
  EXPECT_TRUE(Matches(Functions({"malloc", "a"}), Through({"a"})));
  EXPECT_TRUE(Matches(Functions({"calloc", "a"}), Through({"a"})));
  EXPECT_TRUE(Matches(Functions({"*alloc", "a"}), Through({"a"})));
  EXPECT_TRUE(Matches(Functions({"...", "malloc", "a"}), Through({"a"})));
  EXPECT_TRUE(Matches(Functions({"malloc"}), Through({"a"})));
  EXPECT_FALSE(Matches(Functions({"malloc", "a"}), Through({"b"})));
  EXPECT_FALSE(Matches(Functions({"malloc", "a"}), Through({"a"}, Door::kNew)));
  EXPECT_TRUE(Matches(Functions({"_Znwm", "a"}), Through({"a"}, Door::kNew)));
  EXPECT_TRUE(Matches(Functions({"operator new(unsigned long)", "a"}), Through({"a"}, Door::kNew)));
  EXPECT_FALSE(Matches(Functions({"_Znwm", "a"}), Through({"a"}, Door::kNewArray)));
  EXPECT_TRUE(Matches(Functions({"_Znam", "a"}), Through({"a"}, Door::kNewArray)));
  EXPECT_TRUE(Matches(Functions({"posix_memalign", "a"}), Through({"a"}, Door::kAlignedMalloc)));
  EXPECT_TRUE(Matches(Functions({"_ZnwmSt11align_val_t", "a"}), Through({"a"}, Door::kAlignedNew)));
  EXPECT_TRUE(Matches(Frames({{Kind::kModule, "*/vgpreload_memcheck*"}, {Kind::kFunction, "a"}}), Through({"a"})));
}

TEST(Suppression, FunctionsHaveManyNames) {
  const Frame frame = Named("ns::Class<int>::f(int, char const*) const", "_ZNK2ns5ClassIiE1fEiPKc");
  EXPECT_TRUE(FunctionMatches("_ZNK2ns5ClassIiE1fEiPKc", frame));
  EXPECT_TRUE(FunctionMatches("_ZNK2ns5Class*", frame));
  EXPECT_TRUE(FunctionMatches("ns::Class<int>::f(int, char const*) const", frame));
  EXPECT_TRUE(FunctionMatches("ns::Class<int>::f", frame));
  EXPECT_TRUE(FunctionMatches("ns::*::f", frame));
  EXPECT_FALSE(FunctionMatches("f", frame));
  EXPECT_FALSE(FunctionMatches("_ZN2ns*", frame));
  Frame inlined = frame;
  inlined.inlined = true;
  EXPECT_TRUE(FunctionMatches("f", inlined));  // all that Valgrind knows of it
  EXPECT_TRUE(FunctionMatches("ns::Class::operator()", Named("ns::Class::operator()(int)")));
  EXPECT_TRUE(FunctionMatches("(anonymous namespace)::f", Named("(anonymous namespace)::f()")));
  for (const char* const name : {"strdup", "__strdup", "__GI___strdup", "*strdup"}) {
    EXPECT_TRUE(FunctionMatches(name, Named("__GI___strdup"))) << name;
  }
  EXPECT_TRUE(FunctionMatches("pthread_create@@GLIBC_2.34", Named("pthread_create")));
  EXPECT_TRUE(FunctionMatches("???", Named("")));
  EXPECT_FALSE(FunctionMatches("a*", Named("")));
}

TEST(Suppression, BelowMain) {
  EXPECT_TRUE(FunctionMatches("(below main)", Named("__libc_start_main")));
  EXPECT_FALSE(FunctionMatches("(below main)", Named("main")));
  Frame nameless = Named("");
  EXPECT_FALSE(FunctionMatches("(below main)", nameless));
  nameless.module = "/lib/x86_64-linux-gnu/libc.so.6";
  EXPECT_TRUE(FunctionMatches("(below main)", nameless));
}

TEST(Suppression, ModulesAndSources) {
  const Leak leak = Through({"a"});
  EXPECT_TRUE(Matches(Frames({{Kind::kModule, "*/libfoo.so*"}}), leak));
  EXPECT_FALSE(Matches(Frames({{Kind::kModule, "libfoo.so*"}}), leak));
  for (const char* const source : {"bar.cc", "bar.cc:12", "/src/*/bar.cc", "*/bar.cc:1?", "*.cc"}) {
    EXPECT_TRUE(Matches(Frames({{Kind::kSource, source}}), leak)) << source;
  }
  EXPECT_FALSE(Matches(Frames({{Kind::kSource, "bar.cc:13"}}), leak));
  Leak without = leak;
  without.frames[0].file.clear();
  EXPECT_FALSE(Matches(Frames({{Kind::kSource, "*"}}), without));
}

TEST(Suppression, Classes) {
  Suppression suppression = Functions({"a"});
  Leak leak = Through({"a"});
  suppression.classes = {LeakClass::kPossible, LeakClass::kReachable};
  EXPECT_FALSE(Matches(suppression, leak));
  leak.leak_class = LeakClass::kPossible;
  EXPECT_TRUE(Matches(suppression, leak));
  leak.leak_class = LeakClass::kUnknown;  // may be definite
  EXPECT_FALSE(Matches(suppression, leak));
  suppression.classes = {LeakClass::kDefinite};
  EXPECT_TRUE(Matches(suppression, leak));
  suppression.built_in = true;
  EXPECT_FALSE(Matches(suppression, leak));
}

}  // namespace
}  // namespace mallocspy
