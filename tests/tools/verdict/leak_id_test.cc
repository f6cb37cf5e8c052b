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

}  // namespace
}  // namespace mallocspy
