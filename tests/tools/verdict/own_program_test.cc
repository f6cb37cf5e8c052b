#include "tools/verdict/own_program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mallocspy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(OwnProgram, TheSystemsFolders) {
  for (const char* const path :
       {"/bin/sh", "/usr/bin/jq", "/usr/lib/gcc/x86_64-linux-gnu/12/cc1", "/lib64/ld.so", "/nix/store/x/bin/y"}) {
    EXPECT_TRUE(IsSystemPath(path)) << path;
  }
  for (const char* const path :
       {"/usr/local/bin/tool", "/usr/src/app/test", "/opt/app/run", "/home/user/bin/x", "/binary", "prog", ""}) {
    EXPECT_FALSE(IsSystemPath(path)) << path;
  }
}

TEST(OwnProgram, DriversByNameAndFolder) {
  for (const char* const path :
       {"/usr/bin/make", "/usr/local/bin/ctest", "/opt/hostedtoolcache/Python/3.11/x64/bin/python3.11",
        "/usr/bin/g++-12", "/usr/bin/x86_64-linux-gnu-gcc-12", "/usr/bin/x86_64-linux-gnu-ld.bfd",
        "/usr/bin/clang++-14", "/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus"}) {
    EXPECT_TRUE(IsDriver(path)) << path;
  }
  // What somebody builds may have such a name: a shell's own tests are to be judged.
  for (const char* const path : {"/home/user/dash/src/dash", "/home/user/build/make", "/usr/bin/jq",
                                 "/opt/x/bin/parse-make", "/opt/x/bin/parser", "/opt/x/bin/cmaker", "make", ""}) {
    EXPECT_FALSE(IsDriver(path)) << path;
  }
}

TEST(OwnProgram, LibrariesOfTheUser) {
  Snapshot snapshot;
  snapshot.exe = "/opt/python/bin/python3";
  const auto add = [&snapshot](const char* path, bool self) {
    SnapshotModule module;
    module.path = path;
    module.self = self;
    snapshot.modules.push_back(module);
  };
  for (const char* const path : {"", "/opt/python/bin/python3", "/opt/python/lib/libpython3.so", "/usr/lib/libc.so",
                                 "[vdso]", "/home/user/build/libmallocspy_trace.so"}) {
    add(path, false);
  }
  add("/home/user/renamed.so", true);
  EXPECT_THAT(OwnLibraries(snapshot), IsEmpty());
  add("/home/user/ext.so", false);
  add("/home/user/ext.so", false);  // loaded again elsewhere
  EXPECT_THAT(OwnLibraries(snapshot), ElementsAre("/home/user/ext.so"));
}

}  // namespace
}  // namespace mallocspy
