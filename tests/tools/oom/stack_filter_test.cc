#include "tools/oom/stack_filter.h"

#include <gtest/gtest.h>

namespace mallocspy {
namespace {

bool Has(const std::string& name, const std::string& function, const std::string& module = "/usr/lib/libnet.so.2") {
  std::vector<Frame> frames(2);
  frames[1].function = function;
  frames[1].module = module;
  return IsOnStack(name, frames);
}

TEST(StackFilter, Functions) {
  const std::string function = "net::Buffer<char, 5>::Grow<int>(unsigned long, std::pair<int, int>) const";
  for (const char* const name : {"net::Buffer::Grow", "Buffer::Grow", "Grow", "::net::Buffer::Grow"}) EXPECT_TRUE(Has(name, function)) << name;
  for (const char* const name : {"Buffer", "net::Grow", "row", "pair", "unsigned long", ""}) EXPECT_FALSE(Has(name, function)) << name;
  EXPECT_TRUE(Has("xmlParse", "xmlParse"));
  EXPECT_FALSE(Has("xmlParse", "xmlParseDoc"));
  EXPECT_TRUE(Has("Grow", "net::(anonymous namespace)::Grow(int)"));
  EXPECT_TRUE(Has("operator()", "net::Call::operator()(int) const"));
  EXPECT_TRUE(Has("operator<", "net::operator<(net::Key, net::Key)"));
}

TEST(StackFilter, Modules) {
  for (const char* const name : {"libnet", "libnet.so", "libnet.so.2", "/usr/lib/libnet.so.2"}) EXPECT_TRUE(Has(name, "f")) << name;
  for (const char* const name : {"libne", "libnet.so.3", "/lib/libnet.so.2", "net"}) EXPECT_FALSE(Has(name, "f")) << name;
  EXPECT_TRUE(Has("jq", "", "/usr/bin/jq"));
}

}  // namespace
}  // namespace mallocspy
