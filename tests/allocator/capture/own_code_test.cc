#include "allocator/capture/own_code.h"

#include <gtest/gtest.h>

#include "tests/allocator/fresh_process.h"

namespace mallocspy {
namespace {

TEST(OwnCode, NothingIsOwnUntilDeclared) {
  InFreshProcess([] {
    EXPECT_FALSE(IsOwnCode(0));
    EXPECT_FALSE(IsOwnCode(0x1000));
    EXPECT_FALSE(IsOwnCode(reinterpret_cast<uintptr_t>(&IsOwnCode)));
    DeclareOwnCode(0x1000, 0x2000);
    EXPECT_FALSE(IsOwnCode(0xfff));
    EXPECT_TRUE(IsOwnCode(0x1000));
    EXPECT_TRUE(IsOwnCode(0x1fff));
    EXPECT_TRUE(IsOwnCode(0x2000)) << "a return address may lie just behind the code";
    EXPECT_FALSE(IsOwnCode(0x2001));
  });
}

}  // namespace
}  // namespace mallocspy
