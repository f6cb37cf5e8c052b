#include "tools/verdict/leak_id.h"

#include <gtest/gtest.h>

namespace mallocspy {
namespace {

Frame Named(const std::string& module, const std::string& function, uint64_t offset = 0, int line = 0) {
  Frame frame;
  frame.module = module;
  frame.function = function;
  frame.offset = offset;
  frame.address = offset + 0x1000;
  frame.line = line;
  frame.build_id = "aa";
  return frame;
}

TEST(LeakId, IsTheSameForEver) {
  // A change of this value makes every stored baseline worthless.
  EXPECT_EQ(LeakId(Door::kMalloc, {Named("/bin/prog", "main")}), "98cfe3945107acbc");
}

TEST(LeakId, OutlivesARebuild) {
  Frame moved = Named("/other/place/prog", "main", 0x99, 12);
  moved.build_id = "bb";
  EXPECT_EQ(LeakId(Door::kMalloc, {Named("/bin/prog", "main", 0x10, 3)}), LeakId(Door::kMalloc, {moved}));
  EXPECT_EQ(LeakId(Door::kMalloc, {Named("/bin/prog", "f(int) [clone .constprop.3]")}),
            LeakId(Door::kMalloc, {Named("/bin/prog", "f(int) [clone .constprop.4]")}));
  EXPECT_EQ(LeakId(Door::kMalloc, {Named("/bin/prog", "f.part.0")}), LeakId(Door::kMalloc, {Named("/bin/prog", "f")}));
}

TEST(LeakId, TellsLeaksApart) {
  const std::string id = LeakId(Door::kMalloc, {Named("/bin/prog", "f"), Named("/bin/prog", "main")});
  EXPECT_NE(id, LeakId(Door::kNew, {Named("/bin/prog", "f"), Named("/bin/prog", "main")}));
  EXPECT_NE(id, LeakId(Door::kMalloc, {Named("/bin/prog", "g"), Named("/bin/prog", "main")}));
  EXPECT_NE(id, LeakId(Door::kMalloc, {Named("/bin/other", "f"), Named("/bin/prog", "main")}));
  EXPECT_NE(id, LeakId(Door::kMalloc, {Named("/bin/prog", "fm"), Named("/bin/prog", "ain")}));
  EXPECT_NE(id, LeakId(Door::kMalloc, {Named("/bin/prog", "f")}));
}

TEST(LeakId, FunctionsWithoutANameGoByTheirOffset) {
  const auto id = [](uint64_t offset, const char* module) { return LeakId(Door::kMalloc, {Named(module, "", offset)}); };
  EXPECT_NE(id(0x10, "/bin/stripped"), id(0x20, "/bin/stripped"));
  EXPECT_EQ(id(0x10, "/bin/stripped"), id(0x10, "/other/stripped"));
  EXPECT_EQ(id(0x10, ""), id(0x20, ""));  // an address of no module is another in every run
}

TEST(LeakId, OfTheCLibraryOnlyTheFunctionCountsThatTheProgramCalled) {
  const char* const libc = "/lib/x86_64-linux-gnu/libc.so.6";
  const Frame main = Named("/bin/prog", "main");
  const std::string id = LeakId(Door::kMalloc, {Named(libc, "strdup"), main});
  // With debug symbols of libc there are more frames, and other names.
  EXPECT_EQ(id, LeakId(Door::kMalloc, {Named(libc, "malloc_internal", 5), Named("/lib64/ld-linux-x86-64.so.2", "", 7),
                                       Named(libc, "__GI___strdup"), main}));
  EXPECT_EQ(id, LeakId(Door::kMalloc, {Named(libc, "", 9), Named(libc, "strdup"), main, Named(libc, "", 8),
                                       Named(libc, "__libc_start_main"), Named("/bin/prog", "_start", 4)}));
  EXPECT_EQ(id, LeakId(Door::kMalloc, {Named(libc, "strdup"), main, Named(libc, "__libc_start_call_main"),
                                       Named(libc, "__libc_start_main_impl"), Named("/bin/prog", "", 4)}));
  EXPECT_NE(id, LeakId(Door::kMalloc, {Named(libc, "getline"), main}));
  EXPECT_NE(id, LeakId(Door::kMalloc, {main}));
  // A thread's start is nothing of the program's either.
  EXPECT_EQ(LeakId(Door::kMalloc, {Named("/bin/prog", "work"), Named(libc, "", 1), Named(libc, "", 2)}),
            LeakId(Door::kMalloc, {Named("/bin/prog", "work"), Named(libc, "start_thread"), Named(libc, "clone3")}));
}

}  // namespace
}  // namespace mallocspy
