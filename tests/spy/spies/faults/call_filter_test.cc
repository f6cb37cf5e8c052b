#include "spy/spies/faults/call_filter.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <string.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "tests/scratch_directory.h"

namespace mallocspy::spies::faults {

// In this test's own symbol table.
__attribute__((noinline, used)) int Outer(int value) { return value * 3 + 1; }
extern "C" __attribute__((noinline, used)) int mallocspy_test_plain(int value) { return value * 5 + 1; }

namespace {

class Filter {
 public:
  explicit Filter(const char* args) : settings_(std::make_unique<Settings>()), filter_(std::make_unique<CallFilter>()) {
    EXPECT_TRUE(ParseSettings(args, settings_.get()));
    filter_->Start(settings_.get());
  }
  bool Passes(const std::vector<mallocspy_frame>& frames) { return filter_->Passes(frames.data(), frames.size()); }

 private:
  std::unique_ptr<Settings> settings_;
  std::unique_ptr<CallFilter> filter_;
};

const std::string& OwnPath() {
  static const std::string& path = *new std::string([] {
    char text[4096] = {};
    return std::string(text, static_cast<size_t>(readlink("/proc/self/exe", text, sizeof(text) - 1)));
  }());
  return path;
}

// A call that returns behind the first byte of a function of this program.
template <typename Function>
mallocspy_frame In(Function* function) {
  Dl_info info;
  EXPECT_NE(0, dladdr(reinterpret_cast<void*>(&OwnPath), &info));
  return {nullptr, OwnPath().data(), OwnPath().size(),
          reinterpret_cast<uint64_t>(function) + 1 - reinterpret_cast<uint64_t>(info.dli_fbase)};
}

mallocspy_frame InModule(const char* path) { return {nullptr, path, strlen(path), 16}; }

TEST(CallFilter, Functions) {
  const mallocspy_frame outer = In(&Outer);
  const mallocspy_frame plain = In(&mallocspy_test_plain);
  Filter within("within=faults::Outer");
  EXPECT_TRUE(within.Passes({plain, outer}));
  EXPECT_FALSE(within.Passes({plain}));
  EXPECT_FALSE(within.Passes({}));
  Filter without("outside=mallocspy_test_plain");
  EXPECT_FALSE(without.Passes({plain, outer}));
  EXPECT_TRUE(without.Passes({outer}));
  EXPECT_TRUE(without.Passes({}));
  Filter both("within=Outer,within=other,outside=mallocspy_test_plain");
  EXPECT_TRUE(both.Passes({outer}));
  EXPECT_FALSE(both.Passes({outer, plain}));
}

TEST(CallFilter, Modules) {
  const mallocspy_frame versioned = InModule("/usr/lib/libparser.so.2.1");
  for (const char* name : {"libparser", "libparser.so", "libparser.so.2", "libparser.so.2.1", "/usr/lib/libparser.so.2.1"}) {
    EXPECT_TRUE(Filter(("within=" + std::string(name)).c_str()).Passes({versioned})) << name;
  }
  for (const char* name : {"libpars", "parser", "libparser.so.2.1.0", "libparser.so.3", "/lib/libparser.so.2.1", "libparserx"}) {
    EXPECT_FALSE(Filter(("within=" + std::string(name)).c_str()).Passes({versioned})) << name;
  }
  EXPECT_TRUE(Filter("within=jq").Passes({InModule("/usr/bin/jq")}));
  EXPECT_FALSE(Filter("outside=jq").Passes({InModule("/usr/bin/jq")}));
}

// A file that was replaced while the program runs may be anything.
TEST(CallFilter, BrokenFilesHaveNoFunctions) {
  std::ifstream own(OwnPath(), std::ios::binary);
  std::string whole((std::istreambuf_iterator<char>(own)), {});
  const ScratchDirectory scratch;
  const std::string path = scratch.File("broken_module");
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{63}, size_t{64}, size_t{200}, whole.size() / 2, whole.size() - 1}) {
    std::ofstream(path, std::ios::binary).write(whole.data(), static_cast<std::streamsize>(bytes));
    mallocspy_frame frame = In(&Outer);
    frame.module = path.data();
    frame.module_bytes = path.size();
    EXPECT_FALSE(Filter("within=NoSuchFunction").Passes({frame})) << bytes;
  }
  // All numbers of the header at their highest.
  std::string wild = whole.substr(0, 4096);
  memset(wild.data() + 40, 0xff, 24);
  wild[58] = 64;
  wild[59] = 0;
  std::ofstream(path, std::ios::binary) << wild;
  mallocspy_frame frame = In(&Outer);
  frame.module = path.data();
  frame.module_bytes = path.size();
  EXPECT_FALSE(Filter("within=Outer").Passes({frame}));
}

}  // namespace
}  // namespace mallocspy::spies::faults
