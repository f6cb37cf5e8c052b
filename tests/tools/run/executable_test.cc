#include "tools/run/executable.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstring>

#include "tests/scratch_directory.h"

namespace mallocspy {
namespace {

using ::testing::HasSubstr;

// The start of a program of this machine: its header and one program header, of the type `segment`.
std::string Program(uint32_t segment = PT_INTERP, const std::string& loader = "/lib64/ld-linux-x86-64.so.2") {
  Elf64_Ehdr header;
  std::ifstream("/proc/self/exe", std::ios::binary).read(reinterpret_cast<char*>(&header), sizeof(header));
  header.e_phoff = sizeof(header);
  header.e_phnum = 1;
  Elf64_Phdr program = {};
  program.p_type = segment;
  program.p_offset = sizeof(header) + sizeof(program);
  program.p_filesz = loader.size() + 1;
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof(header));
  bytes.append(reinterpret_cast<const char*>(&program), sizeof(program));
  return bytes + loader + '\0';
}

template <typename Change>
std::string WithHeader(std::string bytes, Change change) {
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  change(&header);
  std::memcpy(bytes.data(), &header, sizeof(header));
  return bytes;
}

class Executable : public ::testing::Test {
 protected:
  std::string Why(const std::string& bytes) { return WhyNotRecordable(scratch_.Write("prog", bytes)); }
  ScratchDirectory scratch_;
};

TEST_F(Executable, OrdinaryProgramsCanBeRecorded) {
  EXPECT_EQ(WhyNotRecordable("/proc/self/exe"), "");
  EXPECT_EQ(WhyNotRecordable("/bin/sh"), "");
  EXPECT_EQ(Why(Program()), "");
}

TEST_F(Executable, TruncatedOnesCannotBeExecuted) {
  const std::string whole = Program();
  const auto why = [this](const std::string& bytes) { return WhyNotExecutable(scratch_.Write("prog", bytes)); };
  EXPECT_EQ(why(whole), "");
  EXPECT_EQ(why("#!/bin/sh\n"), "");
  EXPECT_EQ(why(""), "");
  EXPECT_EQ(WhyNotExecutable(scratch_.File("none")), "");
  for (const size_t bytes : {size_t{4}, size_t{20}, sizeof(Elf64_Ehdr) - 1, sizeof(Elf64_Ehdr), whole.size() - 40}) {
    EXPECT_THAT(why(whole.substr(0, bytes)), HasSubstr("truncated")) << bytes;
  }
}

TEST_F(Executable, StaticOnesCannot) { EXPECT_THAT(Why(Program(PT_LOAD)), HasSubstr("is statically linked")); }

TEST_F(Executable, MuslOnesCannot) {
  EXPECT_THAT(Why(Program(PT_INTERP, "/lib/ld-musl-x86_64.so.1")), HasSubstr("uses musl"));
}

TEST_F(Executable, OtherArchitecturesCannot) {
  EXPECT_THAT(Why(WithHeader(Program(), [](Elf64_Ehdr* header) { header->e_machine = EM_S390; })),
              HasSubstr("another architecture (ELF machine 22)"));
  EXPECT_THAT(Why(WithHeader(Program(), [](Elf64_Ehdr* header) { header->e_ident[EI_CLASS] = ELFCLASS32; })),
              HasSubstr("32-bit"));
}

TEST_F(Executable, SetuidOnesCannot) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can make another user's program";
  struct statvfs file_system;
  ASSERT_EQ(statvfs(scratch_.path().c_str(), &file_system), 0);
  if ((file_system.f_flag & ST_NOSUID) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) {
    GTEST_SKIP() << "setuid has no effect here";
  }
  const std::string path = scratch_.Write("prog", Program());
  ASSERT_EQ(chown(path.c_str(), 12345, static_cast<gid_t>(-1)), 0);
  ASSERT_EQ(chmod(path.c_str(), 04755), 0);
  EXPECT_THAT(WhyNotRecordable(path), HasSubstr("is setuid"));
  ASSERT_EQ(chown(path.c_str(), 0, 12345), 0);
  ASSERT_EQ(chmod(path.c_str(), 02755), 0);
  EXPECT_THAT(WhyNotRecordable(path), HasSubstr("is setgid"));
}

TEST_F(Executable, ScriptsAreJudgedByTheirInterpreter) {
  const std::string interpreter = scratch_.Write("interpreter", Program(PT_LOAD));
  EXPECT_THAT(Why("#!" + interpreter + " -x\necho\n"), HasSubstr("interpreter, which is statically linked"));
  EXPECT_THAT(Why("#! \t" + interpreter), HasSubstr("which is statically linked"));
  EXPECT_EQ(Why("#!/bin/sh\necho\n"), "");
  const std::string script = scratch_.Write("script", "#!" + interpreter + "\n");
  EXPECT_THAT(Why("#!" + script + "\n"), HasSubstr("which is statically linked"));
}

TEST_F(Executable, AnEndlessChainOfScriptsEnds) {
  const std::string path = scratch_.File("prog");
  EXPECT_EQ(Why("#!" + path + "\n"), "");
}

TEST_F(Executable, WhatIsNoProgramIsLeftToTheKernel) {
  EXPECT_EQ(Why(""), "");
  EXPECT_EQ(Why("echo no interpreter line\n"), "");
  EXPECT_EQ(Why("#!"), "");
  EXPECT_EQ(WhyNotRecordable(scratch_.File("none")), "");
}

TEST_F(Executable, DamagedProgramsAreReadSafely) {
  const std::string good = Program();
  for (size_t size = 0; size < good.size(); ++size) Why(good.substr(0, size));
  EXPECT_THAT(Why(WithHeader(good, [](Elf64_Ehdr* header) { header->e_phoff = ~uint64_t{0} - 8; })),
              HasSubstr("statically linked"));
}

}  // namespace
}  // namespace mallocspy
