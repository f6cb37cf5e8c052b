#include "tools/verdict/reference_order.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace mallocspy {
namespace {

ReferenceCall Call(uint64_t added, uint64_t released, std::initializer_list<const char*> functions) {
  ReferenceCall call = {added, released, {}};
  for (const char* const function : functions) {
    Frame& frame = call.frames.emplace_back();
    frame.module = "/program";
    frame.function = function;
  }
  return call;
}

std::string Users(const std::vector<ReferenceCall>& calls) {
  std::string users;
  for (const ReferenceCall& call : calls) users += call.frames[1].function + (call.added != 0 ? "+" : "-");
  return users;
}

TEST(ReferenceOrder, WhoTookMoreThanHeGaveComesFirst) {
  std::vector<ReferenceCall> calls = {
      Call(3, 0, {"Document::AddRef()", "Borrow", "main"}), Call(0, 1, {"Document::Release()", "Drop", "main"}),
      Call(2, 0, {"Document::AddRef()", "Forget", "main"}), Call(0, 3, {"Document::Release()", "Borrow", "main"}),
      Call(1, 0, {"mallocspy::ReferenceCount::ReferenceCount(void const*)", "Make", "main"}),
  };
  OrderByBalance(&calls);
  EXPECT_EQ("Forget+Make+Borrow+Borrow-Drop-", Users(calls));
}

// The same function, called by others, is another user.
TEST(ReferenceOrder, CallersCount) {
  std::vector<ReferenceCall> calls = {
      Call(0, 2, {"Release", "Use", "Even"}),
      Call(2, 0, {"AddRef", "Use", "Even"}),
      Call(1, 0, {"AddRef", "Use", "Odd"}),
  };
  OrderByBalance(&calls);
  EXPECT_EQ("Odd", calls[0].frames[2].function);
  EXPECT_EQ(2u, calls[1].added);
}

TEST(ReferenceOrder, NothingKnown) {
  std::vector<ReferenceCall> calls = {Call(0, 1, {}), Call(1, 0, {})};
  OrderByBalance(&calls);
  EXPECT_EQ(1u, calls[0].added);
  calls.clear();
  OrderByBalance(&calls);
}

}  // namespace
}  // namespace mallocspy
