#include "tools/symbolizer/symbolizer.h"

#include <dlfcn.h>
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libelf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace mallocspy {
namespace {

namespace fs = std::filesystem;
using testing::EndsWith;
using testing::IsEmpty;
using testing::SizeIs;

// Where fixture.cc's variants were built, see CMakeLists.txt.
const fs::path kFixtures = SYMBOLIZER_FIXTURES;

// What the fixture says of one Record().
struct Place {
  uint64_t return_offset = 0;
  int innermost = 0;
  int middle = 0;
  int outermost = 0;
};
using Places = std::map<std::string, Place>;

Places PlacesOf(const fs::path& program) {
  Places places;
  FILE* pipe = popen(program.c_str(), "r");
  if (pipe == nullptr) return places;
  char label[64];
  unsigned long offset = 0;
  Place place;
  while (fscanf(pipe, "%63s %lx %d %d %d", label, &offset, &place.innermost, &place.middle, &place.outermost) == 5) {
    place.return_offset = offset;
    places[label] = place;
  }
  pclose(pipe);
  return places;
}

std::string BuildIdOf(const fs::path& path) {
  elf_version(EV_CURRENT);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  Elf* elf = elf_begin(fd, ELF_C_READ, nullptr);
  const void* bits = nullptr;
  const ssize_t bytes = dwelf_elf_gnu_build_id(elf, &bits);
  std::string id(static_cast<const char*>(bits), bytes > 0 ? static_cast<size_t>(bytes) : 0);
  elf_end(elf);
  close(fd);
  return id;
}

std::string Hex(const std::string& bytes) {
  std::string hex;
  for (unsigned char byte : bytes) {
    char digits[3];
    snprintf(digits, sizeof(digits), "%02x", byte);
    hex += digits;
  }
  return hex;
}

// A directory of the test's own, removed after it.
class SymbolizerTest : public testing::Test {
 protected:
  SymbolizerTest() {
    std::string pattern = (fs::temp_directory_path() / "symbolizer_test.XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~SymbolizerTest() override { fs::remove_all(directory_); }

  // Puts `file` where a debug directory keeps the file of `build_id`, and returns the directory.
  fs::path DebugDirectoryWith(const fs::path& file, const std::string& build_id, const char* suffix) {
    const std::string hex = Hex(build_id);
    const fs::path folder = directory_ / "debug/.build-id" / hex.substr(0, 2);
    fs::create_directories(folder);
    fs::copy_file(file, folder / (hex.substr(2) + suffix));
    return directory_ / "debug";
  }

  fs::path directory_;
};

struct Expectation {
  std::string function;
  std::string file;
  int line;
};

void ExpectFrames(const std::vector<SourceFrame>& frames, const std::vector<Expectation>& expected) {
  ASSERT_THAT(frames, SizeIs(expected.size()));
  for (size_t i = 0; i < frames.size(); ++i) {
    SCOPED_TRACE("frame " + std::to_string(i));
    EXPECT_EQ(frames[i].function, expected[i].function);
    EXPECT_THAT(frames[i].file, EndsWith(expected[i].file));
    EXPECT_EQ(frames[i].line, expected[i].line);
    EXPECT_EQ(frames[i].inlined, i + 1 < frames.size());
  }
}

// Everything that full debug information tells about the fixture.
void ExpectAllOf(Symbolizer& symbolizer, const fs::path& program, const std::string& build_id, const Places& places) {
  const auto resolve = [&](const char* label) {
    return symbolizer.Resolve(program, build_id, places.at(label).return_offset);
  };
  ASSERT_THAT(places, SizeIs(7)) << "the fixture did not run: " << program;
  const Place& chain = places.at("chain");
  const Place& crate = places.at("constructor");
  {
    SCOPED_TRACE("plain");
    ExpectFrames(resolve("plain"), {{"depot::Plain()", "/fixture.cc", places.at("plain").innermost}});
  }
  {
    SCOPED_TRACE("inlined twice, from another file");
    ExpectFrames(resolve("chain"), {{"depot::Inner(int, int)", "/fixture_inlined.h", chain.innermost},
                                    {"depot::Shelf<int>::Middle(int)", "/fixture_inlined.h", chain.middle},
                                    {"depot::Outer()", "/fixture.cc", chain.outermost}});
  }
  {
    SCOPED_TRACE("inlined constructor");
    ExpectFrames(resolve("constructor"), {{"depot::Crate::Crate(int)", "/fixture.cc", crate.innermost},
                                          {"depot::MakeCrate()", "/fixture.cc", crate.middle}});
  }
  {
    SCOPED_TRACE("inlined function of an unnamed namespace");
    const std::vector<SourceFrame> frames = resolve("vanished");
    ASSERT_THAT(frames, SizeIs(2));
    // With the parameters if the compiler wrote a linkage name.
    EXPECT_THAT(frames[0].function, testing::StartsWith("depot::(anonymous namespace)::Vanish"));
    EXPECT_EQ(frames[0].line, places.at("vanished").innermost);
    EXPECT_EQ(frames[1].function, "depot::CallVanished()");
    EXPECT_EQ(frames[1].line, places.at("vanished").middle);
  }
  {
    SCOPED_TRACE("C function");
    ExpectFrames(resolve("c"), {{"c_function", "/fixture.cc", places.at("c").innermost}});
  }
  {
    SCOPED_TRACE("a call that does not return");
    ExpectFrames(resolve("noreturn"), {{"never_returns", "/fixture.cc", places.at("noreturn").innermost}});
  }
  {
    SCOPED_TRACE("lambda");
    const std::vector<SourceFrame> frames = resolve("lambda");
    ASSERT_FALSE(frames.empty());
    EXPECT_EQ(frames[0].line, places.at("lambda").innermost);
    EXPECT_THAT(frames[0].function,
                testing::AllOf(testing::HasSubstr("depot::Lambda()"), testing::HasSubstr("operator()")));
  }
}

class DebugFormatTest : public testing::TestWithParam<const char*> {};

TEST_P(DebugFormatTest, NamesFunctionsFilesAndLinesOfInlinedCalls) {
  const fs::path program = kFixtures / GetParam();
  Symbolizer symbolizer;
  ExpectAllOf(symbolizer, program, BuildIdOf(program), PlacesOf(program));
}

// The list depends on which of clang and dwz the build found.
INSTANTIATE_TEST_SUITE_P(Variants, DebugFormatTest, testing::Values(SYMBOLIZER_VARIANTS),
                         [](const auto& variant) { return std::string(variant.param); });

TEST_F(SymbolizerTest, TheSameAddressTwiceGivesTheSameFrames) {
  const fs::path program = kFixtures / "dwarf5";
  const Place chain = PlacesOf(program).at("chain");
  Symbolizer symbolizer;
  const auto first = symbolizer.Resolve(program, "", chain.return_offset);
  const auto second = symbolizer.Resolve(program, "", chain.return_offset);
  ASSERT_THAT(first, SizeIs(3));
  ASSERT_THAT(second, SizeIs(3));
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].function, second[i].function);
    EXPECT_EQ(first[i].line, second[i].line);
  }
}

TEST_F(SymbolizerTest, FollowsDebuglinkBesideAStrippedProgram) {
  const fs::path program = kFixtures / "debuglink/stripped";
  Symbolizer symbolizer;
  ExpectAllOf(symbolizer, program, BuildIdOf(program), PlacesOf(program));
}

TEST_F(SymbolizerTest, DoesNotBelieveADebuglinkFileOfAnotherBuild) {
  fs::copy_file(kFixtures / "debuglink/stripped", directory_ / "stripped");
  fs::copy_file(kFixtures / "dwarf4", directory_ / "stripped.debug");
  const fs::path program = directory_ / "stripped";
  Symbolizer symbolizer;
  EXPECT_THAT(symbolizer.Resolve(program, BuildIdOf(program), PlacesOf(program).at("plain").return_offset), IsEmpty());
}

TEST_F(SymbolizerTest, FindsTheDebugFileByBuildId) {
  const fs::path program = kFixtures / "stripped";
  const std::string build_id = BuildIdOf(program);
  const fs::path debug = DebugDirectoryWith(kFixtures / "dwarf5.debug", build_id, ".debug");
  Symbolizer symbolizer({.debug_path = debug.string()});
  ExpectAllOf(symbolizer, program, build_id, PlacesOf(program));
}

TEST_F(SymbolizerTest, ADeletedProgramIsFoundByBuildId) {
  const fs::path program = kFixtures / "dwarf5";
  const std::string build_id = BuildIdOf(program);
  const fs::path debug = DebugDirectoryWith(program, build_id, "");
  Symbolizer symbolizer({.debug_path = debug.string()});
  ExpectAllOf(symbolizer, "/nonexistent/deleted", build_id, PlacesOf(program));
}

TEST_F(SymbolizerTest, TheDebugFileAloneServesForADeletedProgram) {
  const fs::path program = kFixtures / "dwarf5";
  const std::string build_id = BuildIdOf(program);
  const fs::path debug = DebugDirectoryWith(kFixtures / "dwarf5.debug", build_id, ".debug");
  Symbolizer symbolizer({.debug_path = debug.string()});
  ExpectAllOf(symbolizer, "/nonexistent/deleted", build_id, PlacesOf(program));
}

TEST_F(SymbolizerTest, AReplacedFileIsNotUsed) {
  const fs::path program = kFixtures / "dwarf5";
  const uint64_t offset = PlacesOf(program).at("plain").return_offset;
  Symbolizer symbolizer;
  EXPECT_THAT(symbolizer.Resolve(program, BuildIdOf(kFixtures / "dwarf4"), offset), IsEmpty());
  EXPECT_THAT(symbolizer.Resolve(program, BuildIdOf(program), offset), SizeIs(1));
}

TEST_F(SymbolizerTest, AReplacedFileGivesWayToTheRightOneInTheDebugDirectory) {
  const fs::path recorded = kFixtures / "dwarf5";
  const std::string build_id = BuildIdOf(recorded);
  const fs::path debug = DebugDirectoryWith(kFixtures / "dwarf5.debug", build_id, ".debug");
  Symbolizer symbolizer({.debug_path = debug.string()});
  ExpectAllOf(symbolizer, kFixtures / "dwarf4", build_id, PlacesOf(recorded));
}

TEST_F(SymbolizerTest, AWrongFileInTheDebugDirectoryIsNotUsed) {
  const std::string build_id = BuildIdOf(kFixtures / "dwarf5");
  const fs::path debug = DebugDirectoryWith(kFixtures / "dwarf4", build_id, "");
  Symbolizer symbolizer({.debug_path = debug.string()});
  const uint64_t offset = PlacesOf(kFixtures / "dwarf5").at("plain").return_offset;
  EXPECT_THAT(symbolizer.Resolve("/nonexistent/deleted", build_id, offset), IsEmpty());
}

TEST_F(SymbolizerTest, WithSymbolsOnlyThereAreFunctionsAndNoLines) {
  const fs::path program = kFixtures / "symbols_only";
  const Places places = PlacesOf(program);
  Symbolizer symbolizer;
  ExpectFrames(symbolizer.Resolve(program, "", places.at("plain").return_offset), {{"depot::Plain()", "", 0}});
  ExpectFrames(symbolizer.Resolve(program, "", places.at("chain").return_offset), {{"depot::Outer()", "", 0}});
  ExpectFrames(symbolizer.Resolve(program, "", places.at("noreturn").return_offset), {{"never_returns", "", 0}});
}

TEST_F(SymbolizerTest, WithoutSymbolsThereIsNothing) {
  const fs::path program = kFixtures / "stripped";
  const Places places = PlacesOf(program);
  ASSERT_THAT(places, SizeIs(7));
  Symbolizer symbolizer({.debug_path = ""});
  for (const auto& [label, place] : places) {
    EXPECT_THAT(symbolizer.Resolve(program, "", place.return_offset), IsEmpty()) << label;
  }
}

#ifdef SYMBOLIZER_HAS_XZ
TEST_F(SymbolizerTest, ReadsCompressedSymbolsOfGnuDebugdata) {
  const fs::path program = kFixtures / "minidebuginfo";
  const Places places = PlacesOf(program);
  Symbolizer symbolizer({.debug_path = ""});
  ExpectFrames(symbolizer.Resolve(program, "", places.at("plain").return_offset), {{"depot::Plain()", "", 0}});
}
#endif

// The C library of most systems has no debug information beside it: what it exports is known all the same.
TEST_F(SymbolizerTest, NamesWhatALibraryExports) {
  Dl_info library;
  ASSERT_NE(dladdr(reinterpret_cast<void*>(&qsort), &library), 0);
  const auto offset = reinterpret_cast<uintptr_t>(&qsort) - reinterpret_cast<uintptr_t>(library.dli_fbase);
  Symbolizer symbolizer({.debug_path = ""});
  const auto frames = symbolizer.Resolve(fs::canonical(library.dli_fname), "", offset + 1);
  ASSERT_THAT(frames, SizeIs(1));
  EXPECT_THAT(frames[0].function, testing::HasSubstr("qsort"));
}

TEST_F(SymbolizerTest, WhatIsNoProgramGivesNothing) {
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream(directory_ / name) << text;
    return (directory_ / name).string();
  };
  std::ifstream whole(kFixtures / "dwarf5", std::ios::binary);
  std::stringstream bytes;
  bytes << whole.rdbuf();
  const std::string fifo = (directory_ / "fifo").string();
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  Symbolizer symbolizer;
  for (const std::string& path :
       {std::string(), std::string("[vdso]"), std::string("linux-vdso.so.1"),
        std::string("/nonexistent/lib.so (deleted)"), directory_.string(), fifo, std::string("/dev/zero"),
        std::string("/proc/self/mem"), write("empty", ""), write("text", "not a program\n"),
        write("magic_only", "\177ELF"), write("header_only", bytes.str().substr(0, 64)), write("archive", "!<arch>\n"),
        std::string("/nul\0byte", 9)}) {
    EXPECT_THAT(symbolizer.Resolve(path, "", 0x1234), IsEmpty()) << path;
    EXPECT_THAT(symbolizer.Resolve(path, "\x01\x02\x03\x04", 0x1234), IsEmpty()) << path;
  }
}

// Debug information cut short or with bytes flipped: anything may come out, but something must.
TEST_F(SymbolizerTest, SurvivesDamagedFiles) {
  std::ifstream whole(kFixtures / "dwarf5", std::ios::binary);
  std::stringstream stream;
  stream << whole.rdbuf();
  const std::string bytes = stream.str();
  const Places places = PlacesOf(kFixtures / "dwarf5");
  uint32_t random = 77;
  for (int round = 0; round < 600; ++round) {
    std::string damaged = bytes;
    if (round % 4 == 0) damaged.resize(bytes.size() * static_cast<size_t>(round % 200 + 1) / 200);
    for (int i = 0; i < 1 + round % 300; ++i) {
      random = random * 1664525 + 1013904223;
      // Leaves the ELF header alone, or nothing behind it would be read.
      const size_t at = 64 + random % (bytes.size() - 64);
      if (at < damaged.size()) damaged[at] = static_cast<char>(random >> 24);
    }
    const fs::path path = directory_ / ("damaged" + std::to_string(round));
    std::ofstream(path, std::ios::binary) << damaged;
    Symbolizer symbolizer;
    for (const auto& [label, place] : places) {
      for (const SourceFrame& frame : symbolizer.Resolve(path, "", place.return_offset)) EXPECT_GE(frame.line, 0);
    }
    fs::remove(path);
  }
}

TEST_F(SymbolizerTest, AddressesOutsideTheCodeGiveNothing) {
  const fs::path program = kFixtures / "dwarf5";
  Symbolizer symbolizer;
  for (uint64_t offset : {uint64_t{0}, uint64_t{1}, uint64_t{0x7fffffff}, UINT64_MAX}) {
    EXPECT_THAT(symbolizer.Resolve(program, "", offset), IsEmpty()) << offset;
  }
}

}  // namespace
}  // namespace mallocspy
