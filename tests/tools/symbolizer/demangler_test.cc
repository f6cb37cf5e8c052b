#include "tools/symbolizer/demangler.h"

#include <gtest/gtest.h>

#include <string>

namespace mallocspy {
namespace {

struct Name {
  const char* mangled;
  const char* source;
};

class DemanglesTest : public testing::TestWithParam<Name> {};

TEST_P(DemanglesTest, ToTheSourceName) { EXPECT_EQ(Demangle(GetParam().mangled), GetParam().source); }

INSTANTIATE_TEST_SUITE_P(Cplus, DemanglesTest,
                         testing::Values(Name{"_ZN5depot5PlainEv", "depot::Plain()"},
                                         Name{"_ZN5depot5CrateC2Ei", "depot::Crate::Crate(int)"},
                                         Name{"_ZN5depot5ShelfIiE6MiddleEi", "depot::Shelf<int>::Middle(int)"},
                                         Name{"_ZNSt6vectorIiSaIiEE7reserveEm",
                                              "std::vector<int, std::allocator<int> >::reserve(unsigned long)"},
                                         Name{"_ZN12_GLOBAL__N_14stepEv", "(anonymous namespace)::step()"},
                                         Name{"_Znwm", "operator new(unsigned long)"},
                                         Name{"_ZN5depot5PlainEv.cold", "depot::Plain() [clone .cold]"}));

INSTANTIATE_TEST_SUITE_P(
    RustLegacy, DemanglesTest,
    testing::Values(Name{"_ZN4core3ptr4read17h0123456789abcdefE", "core::ptr::read"},
                    Name{"_ZN6shapes5inner4grow17hcafebabe12345678E.llvm.1234567890", "shapes::inner::grow"},
                    Name{"_ZN47_$LT$shapes..Square$u20$as$u20$shapes..Area$GT$4area17h1122334455667788E",
                         "<shapes::Square as shapes::Area>::area"},
                    Name{"_ZN6shapes5inner4grow28_$u7b$$u7b$closure$u7d$$u7d$17h0f1e2d3c4b5a6978E",
                         "shapes::inner::grow::{{closure}}"}));

INSTANTIATE_TEST_SUITE_P(RustV0, DemanglesTest,
                         testing::Values(Name{"_RNvNtCs6GmmlP4bgsG_6shapes5inner4grow", "shapes::inner::grow"},
                                         Name{"_RINvNtNtCs6GmmlP4bgsG_1r6shapes5inner4growhEB6_",
                                              "r::shapes::inner::grow::<u8>"},
                                         Name{"_RNCINvNtNtCs6GmmlP4bgsG_1r6shapes5inner4growhE0B8_",
                                              "r::shapes::inner::grow::<u8>::{closure#0}"},
                                         Name{"_RNvXNtCs6GmmlP4bgsG_1r6shapesINtB2_6SquareyENtB2_4Area4area",
                                              "<r::shapes::Square<u64> as r::shapes::Area>::area"}));

INSTANTIATE_TEST_SUITE_P(Unchanged, DemanglesTest,
                         testing::Values(Name{"", ""}, Name{"main", "main"}, Name{"_start", "_start"}, Name{"_Z", "_Z"},
                                         Name{"_ZN", "_ZN"}, Name{"_R", "_R"}, Name{"_RNvC", "_RNvC"},
                                         Name{"_Z3fooQ!", "_Z3fooQ!"}));

TEST(DemanglerTest, AnEnormousNameIsReturnedAsItIs) {
  const std::string name = "_Z" + std::string(1 << 20, '1');
  EXPECT_EQ(Demangle(name), name);
}

// Every type of the chain holds the one before it twice: 2^30 names when written out.
TEST(DemanglerTest, ANameThatWouldExplodeStaysMangled) {
  // pair<int, int> is S0_ after std::pair itself (S_); each further level is a new pair of the latest substitution.
  std::string bomb = "_Z1fSt4pairIiiE";
  const char* const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int level = 0; level < 30; ++level) {
    const std::string last = std::string("S") + digits[level] + "_";
    bomb += "S_I" + last + last + "E";
  }
  EXPECT_EQ(Demangle(bomb), bomb);
}

}  // namespace
}  // namespace mallocspy
