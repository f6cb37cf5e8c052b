#include "tools/verdict/suppression_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scratch_directory.h"

namespace mallocspy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::vector<Suppression> Parse(const std::string& text) {
  absl::StatusOr<std::vector<Suppression>> result = ParseSuppressions(text, "x.supp");
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *std::move(result) : std::vector<Suppression>();
}

std::string ErrorOf(const std::string& text) {
  return std::string(ParseSuppressions(text, "x.supp").status().message());
}

std::string Block(const std::string& lines) { return "{\n name\n Memcheck:Leak\n " + lines + "\n}\n"; }

TEST(SuppressionFile, LeakSanitizers) {
  const std::vector<Suppression> read = Parse("# known\r\n  leak:libfoo.so  \r\n\nleak:^main$\n");
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].text_pattern, "libfoo.so");
  EXPECT_EQ(read[0].name, "libfoo.so");
  EXPECT_EQ(read[0].file, "x.supp");
  EXPECT_EQ(read[0].line, 2);
  EXPECT_EQ(read[1].text_pattern, "^main$");
  EXPECT_EQ(read[1].line, 4);
}

TEST(SuppressionFile, Valgrinds) {
  const std::vector<Suppression> read = Parse(
      "{\n   a name {with} any text\n   Memcheck,Addrcheck:Leak\n   match-leak-kinds: definite,possible\n"
      "   # in between\n   fun:malloc\n   ...\n   obj:*/libfoo.so*\n   src:foo.cc:12\n}\n");
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].name, "a name {with} any text");
  EXPECT_EQ(read[0].line, 1);
  EXPECT_THAT(read[0].classes, ElementsAre(LeakClass::kDefinite, LeakClass::kPossible));
  ASSERT_EQ(read[0].frames.size(), 4u);
  EXPECT_EQ(read[0].frames[0].kind, FramePattern::Kind::kFunction);
  EXPECT_EQ(read[0].frames[0].glob, "malloc");
  EXPECT_EQ(read[0].frames[1].kind, FramePattern::Kind::kAnyFrames);
  EXPECT_EQ(read[0].frames[2].kind, FramePattern::Kind::kModule);
  EXPECT_EQ(read[0].frames[3].glob, "foo.cc:12");
}

TEST(SuppressionFile, WhatIsForOthersIsLeftOut) {
  EXPECT_THAT(Parse("{\n n\n Memcheck:Param\n write(buf)\n fun:f\n}\n{\n n\n Helgrind:Race\n fun:f\n}\n"
                    "{\n n\n drd:ConflictingAccess\n fun:f\n}\n{\n n\n Memcheck:Cond\n ???\n}\n"),
              IsEmpty());
}

TEST(SuppressionFile, KindsMayBeAll) {
  EXPECT_EQ(Parse(Block("match-leak-kinds:all\nfun:f"))[0].classes.size(), 4u);
  EXPECT_THAT(Parse(Block("fun:f"))[0].classes, IsEmpty());
}

TEST(SuppressionFile, OurOwnStandsInComments) {
  const std::vector<Suppression> read =
      Parse("#mallocspy: max-bytes=4k expires=2027-01-31 reason=fixed in 2.4, see max-blocks=1\nleak:a\nleak:b\n" +
            Block("# mallocspy:  max-blocks=10\n fun:f"));
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read[0].max_bytes, 4096u);
  EXPECT_EQ(read[0].max_blocks, std::nullopt);
  EXPECT_EQ(read[0].expires, absl::CivilDay(2027, 1, 31));
  EXPECT_EQ(read[0].reason, "fixed in 2.4, see max-blocks=1");
  EXPECT_EQ(read[1].max_bytes, std::nullopt);  // for the next one only
  EXPECT_EQ(read[2].max_blocks, 10u);
}

TEST(SuppressionFile, AheadOfABlockForOthersItBelongsToThatBlock) {
  const std::vector<Suppression> read = Parse("#mallocspy: max-blocks=1\n{\n n\n Memcheck:Cond\n fun:f\n}\nleak:a\n");
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].max_blocks, std::nullopt);
}

TEST(SuppressionFile, ErrorsNameFileAndLine) {
  EXPECT_EQ(ErrorOf("leak:a\n\nlaek:b\n"),
            "x.supp:3: 'laek:b' is neither leak:PATTERN, nor { of a Valgrind block, nor a comment");
  EXPECT_THAT(ErrorOf("race:x\n"), StartsWith("x.supp:1: 'race:x' is neither"));
  EXPECT_THAT(ErrorOf("leak:\n"), StartsWith("x.supp:1: leak: without a pattern"));
  EXPECT_THAT(ErrorOf("leak:a\n{\n n\n Memcheck:Leak\n fun:f\n"), StartsWith("x.supp:2: this block is not closed"));
  EXPECT_THAT(ErrorOf("{\n n\n Memcheck:Leak\n fun:f\n{\n"),
              StartsWith("x.supp:5: the block that begins in line 1 is not"));
  EXPECT_THAT(ErrorOf("{\n n\n}\n"), HasSubstr("a name and a line such as Memcheck:Leak"));
  EXPECT_THAT(ErrorOf("{\n n\n Leak\n fun:f\n}\n"), StartsWith("x.supp:3: the second line of a block is TOOL:KIND"));
  EXPECT_THAT(ErrorOf(Block("function:f")), StartsWith("x.supp:4: 'function:f' is not fun:, obj:, src: or ..."));
  EXPECT_THAT(ErrorOf(Block("fun:")), StartsWith("x.supp:4: a pattern is missing"));
  EXPECT_THAT(ErrorOf(Block("...")), StartsWith("x.supp:5: a block for leaks needs a fun:, obj: or src: line"));
  EXPECT_THAT(ErrorOf(Block("match-leak-kinds: definit\nfun:f")), HasSubstr("did you mean 'definite'?"));
  EXPECT_THAT(ErrorOf("#mallocspy: max-blocks=few\nleak:a"), StartsWith("x.supp:1: max-blocks: 'few' is not a number"));
  EXPECT_THAT(ErrorOf("#mallocspy: max-bytes=-1\nleak:a"), HasSubstr("is not a number"));
  EXPECT_THAT(ErrorOf("#mallocspy: max-bytes=99999999999g\nleak:a"), HasSubstr("is not a number"));
  EXPECT_THAT(ErrorOf("#mallocspy: expires=2027-02-30\nleak:a"), HasSubstr("'2027-02-30' is not a day"));
  EXPECT_THAT(ErrorOf("#mallocspy: expires=soon\nleak:a"), HasSubstr("is not a day such as 2027-01-31"));
  EXPECT_THAT(ErrorOf("#mallocspy: expire=2027-01-31\nleak:a"), HasSubstr("did you mean 'expires'?"));
  EXPECT_THAT(ErrorOf("leak:a\n#mallocspy: max-blocks=1\n"), StartsWith("x.supp:2: nothing follows"));
}

TEST(SuppressionFile, ErrorsAreShortAndPrintable) {
  const std::string error = ErrorOf("\x1b[2J" + std::string(100000, 'x'));
  EXPECT_LT(error.size(), 300u);
  EXPECT_EQ(error.find('\x1b'), std::string::npos);
}

TEST(SuppressionFile, FilesThatCannotBeRead) {
  const ScratchDirectory scratch;
  EXPECT_THAT(ReadSuppressions(scratch.File("none")).status().message(),
              HasSubstr("none' cannot be read (No such file"));
  EXPECT_THAT(ReadSuppressions(scratch.path()).status().message(), HasSubstr("cannot be read (it is a directory)"));
  EXPECT_THAT(ReadSuppressions("/dev/zero").status().message(), HasSubstr("are larger than 16 MiB"));
  EXPECT_THAT(*ReadSuppressions("/dev/null"), IsEmpty());
  EXPECT_EQ(ReadSuppressions(scratch.Write("a.supp", "leak:a"))->size(), 1u);
}

}  // namespace
}  // namespace mallocspy
