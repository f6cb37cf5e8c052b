#include "spy/spies/faults/symbol_name.h"

#include <gtest/gtest.h>

namespace mallocspy::spies::faults {
namespace {

TEST(SymbolName, OfC) {
  EXPECT_TRUE(IsFunctionNamed("xmlParse", "xmlParse"));
  EXPECT_FALSE(IsFunctionNamed("xmlParseDoc", "xmlParse"));
}

TEST(SymbolName, AnyScopesMayBeLeftOut) {
  const char* symbol = "_ZN3net6Buffer4GrowEm";
  EXPECT_TRUE(IsFunctionNamed(symbol, "net::Buffer::Grow"));
  EXPECT_TRUE(IsFunctionNamed(symbol, "::net::Buffer::Grow"));
  EXPECT_TRUE(IsFunctionNamed(symbol, "Buffer::Grow"));
  EXPECT_TRUE(IsFunctionNamed(symbol, "Grow"));
  EXPECT_FALSE(IsFunctionNamed(symbol, "Buffer"));
  EXPECT_FALSE(IsFunctionNamed(symbol, "net::Grow"));
  EXPECT_FALSE(IsFunctionNamed(symbol, "a::net::Buffer::Grow"));
  EXPECT_TRUE(IsFunctionNamed("_ZNK3net6Buffer4SizeEv", "Buffer::Size"));
  EXPECT_TRUE(IsFunctionNamed("_Z4Growm", "Grow"));
  EXPECT_TRUE(IsFunctionNamed("_ZL4Growm", "Grow"));
  EXPECT_TRUE(IsFunctionNamed("_ZN12_GLOBAL__N_14GrowEm", "Grow"));
  EXPECT_TRUE(IsFunctionNamed("_ZNSt6localeC1Ev", "std::locale::locale"));
}

TEST(SymbolName, ParametersAreNotNames) {
  EXPECT_FALSE(IsFunctionNamed("_Z4SendN3net6BufferE", "Buffer"));
  EXPECT_TRUE(IsFunctionNamed("_Z4SendN3net6BufferE", "Send"));
  EXPECT_FALSE(IsFunctionNamed("_ZN3net4SendERK6Buffer", "Buffer"));
}

TEST(SymbolName, TemplateArgumentsAreLeftOut) {
  EXPECT_TRUE(IsFunctionNamed("_ZN3FooIiE3barEv", "Foo::bar"));
  EXPECT_TRUE(IsFunctionNamed("_ZN3FooILi5EE3barEv", "Foo::bar"));
  EXPECT_TRUE(IsFunctionNamed("_ZN3FooIN3net6BufferEE3barIcEEvv", "Foo::bar"));
  EXPECT_FALSE(IsFunctionNamed("_ZN3FooIN3net6BufferEE3barIcEEvv", "Buffer"));
  EXPECT_TRUE(IsFunctionNamed("_Z3maxIiET_S0_S0_", "max"));
}

TEST(SymbolName, WhatIsNoNameMatchesNothing) {
  for (const char* symbol : {"_Z", "_ZN", "_ZN3", "_ZN99999a", "_ZN3FooI", "_ZN3FooILi5", "_Z0", "_ZTV3Foo", ""}) {
    EXPECT_FALSE(IsFunctionNamed(symbol, "Foo")) << symbol;
  }
}

}  // namespace
}  // namespace mallocspy::spies::faults
