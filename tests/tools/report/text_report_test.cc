#include "tools/report/text_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/report/sample_findings.h"
#include "tools/report/error_text.h"

namespace mallocspy {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(TextReport, Clean) {
  EXPECT_EQ(TextReport(SampleClean(42), kPlain),
            R"(mallocspy: clean: prog (pid 42) freed every block, and no heap error was met
Receipt of pid 42:
  3 allocations of 60 bytes
  3 frees
  40 bytes at the peak
  1 stack
)");
}

TEST(TextReport, AReceiptOfNothingSaysSo) {
  Findings findings;
  findings.process.pid = 42;
  EXPECT_THAT(TextReport(findings, kPlain), EndsWith("Receipt of pid 42:\n  no allocations\n"));
}

TEST(TextReport, Leaks) {
  EXPECT_EQ(TextReport(SampleLeaks(42), kPlain),
            R"(mallocspy: leaks: prog (pid 42) had 5 blocks (89 bytes) live at the end
==42==ERROR: mallocspy: detected memory leaks
Every block that was live is listed; whether the program could still reach it is not known.

Direct leak of 80 byte(s) in 2 object(s) allocated from:
    #0 0x555555555010 in inner() /src/a.cc:3
    #1 0x555555555010 in outer() /src/b.cc:14:7
    #2 0x555555556020 in main (/opt/prog+0x2020) (BuildId: 0123abcd)
    (made by new[], id 00000000000000aa)

Direct leak of 5 byte(s) in 1 object(s) allocated from:
    #0 0x555555557030 (/opt/prog+0x3030) (BuildId: 0123abcd)
    #1 0x7fff12345678 (code of no module)
    (outer frames are missing, made by malloc, mark 2, id 00000000000000bb)

... and 1 smaller leak of 4 bytes in 2 blocks; --top=N shows more of them

SUMMARY: mallocspy: 89 byte(s) leaked in 5 allocation(s).
Receipt of pid 42:
  3 allocations of 60 bytes
  3 frees
  40 bytes at the peak
  1 stack
)");
}

TEST(TextReport, ErrorsBeforeTheReceipt) {
  EXPECT_EQ(TextReport(SampleErrors(42), kPlain),
            R"(mallocspy: errors: 2 heap errors in prog (pid 42)
==42==ERROR: mallocspy: heap-overflow behind 0x602000000010 (8 bytes, made by malloc), first changed byte at offset 8 (right at the end of the 8-byte block), found when it was freed [3 times]
  in thread 43 (worker)
  freed here:
    #0 0x555555554010 in use /src/a.cc:9
  allocated here:
    #0 0x555555554020 in make /src/a.cc:5

==42==ERROR: mallocspy: double-free of 0x602000000020
  freed again here:
    #0 0x555555554030 in again /src/a.cc:12
  freed first here:
    #0 0x555555554040 in first /src/a.cc:11

SUMMARY: mallocspy: 2 heap error(s).
Receipt of pid 42:
  3 allocations of 60 bytes
  3 frees
  40 bytes at the peak
  1 stack
  1 allocation with a truncated stack (see stack_depth in MALLOCSPY_OPTIONS)
  2 foreign frees (of blocks that are not ours, passed on)
  degraded: libunwind could not be loaded
)");
}

TEST(TextReport, ErrorsComeBeforeLeaks) {
  Findings findings = SampleLeaks(42);
  findings.errors = SampleErrors(42).errors;
  findings.verdict.status = Status::kErrors;
  const std::string text = TextReport(findings, kPlain);
  EXPECT_THAT(text, StartsWith("mallocspy: errors: 2 heap errors in prog (pid 42), and 5 blocks (89 bytes) live"));
  EXPECT_LT(text.find("double-free"), text.find("Direct leak"));
  EXPECT_THAT(text, HasSubstr("SUMMARY: mallocspy: 2 heap error(s), 89 byte(s) leaked in 5 allocation(s).\n"));
}

TEST(TextReport, IncompleteSaysWhyFirst) {
  Findings findings = SampleClean(42);
  findings.verdict.status = Status::kIncomplete;
  findings.process.degraded = {"it was not interposed"};
  EXPECT_THAT(TextReport(findings, kPlain),
              StartsWith("mallocspy: incomplete: prog (pid 42) was not checked whole: it was not interposed\n"));
}

TEST(TextReport, IncompleteListsTheLeaksThatWereFound) {
  Findings findings = SampleLeaks(42);
  findings.verdict.status = Status::kIncomplete;
  findings.process.degraded = {"a child left no record"};
  const std::string text = TextReport(findings, kPlain);
  EXPECT_THAT(text, StartsWith("mallocspy: incomplete: prog (pid 42) was not checked whole: a child left no record; "
                               "5 blocks (89 bytes) live at the end\n"));
  EXPECT_THAT(text, HasSubstr("SUMMARY: mallocspy: 89 byte(s) leaked in 5 allocation(s).\n"));
}

TEST(TextReport, ChildrenWithFindingsFollowAndCleanOnesAreCounted) {
  Findings findings = SampleClean(42);
  findings.children = {SampleClean(43), SampleLeaks(44), SampleClean(45)};
  const std::string text = TextReport(findings, kPlain);
  EXPECT_THAT(text, HasSubstr("==44==ERROR: mallocspy: detected memory leaks"));
  EXPECT_THAT(text, Not(HasSubstr("pid 43")));
  EXPECT_THAT(text, StartsWith("mallocspy: leaks: prog (pid 44) had 5 blocks (89 bytes) live at the end\n"));
  EXPECT_THAT(text, EndsWith("mallocspy: 3 other processes are clean (9 allocations)\n"));
}

TEST(TextReport, TheSameLeakInAHundredChildrenIsThereOnce) {
  Findings findings = SampleClean(1);
  for (uint32_t pid = 2; pid < 102; ++pid) {
    findings.children.push_back(SampleClasses(pid));
    findings.children.back().leak_blocks = 4;
    findings.children.back().leak_bytes = 90;
    findings.children.back().process.cmdline = {pid < 100 ? "build/worker" : "build/other"};
  }
  EXPECT_EQ(
      TextReport(findings, kPlain),
      R"(mallocspy: leaks: 100 of 101 processes had 200 blocks (8000 bytes) lost, 100 blocks (500 bytes) possibly lost at the end
==2==ERROR: mallocspy: detected memory leaks

Direct leak of 8000 byte(s) in 200 object(s) allocated from:
    #0 0x555555555010 in inner() /src/a.cc:3
    #1 0x555555555010 in outer() /src/b.cc:14:7
    #2 0x555555556020 in main (/opt/prog+0x2020) (BuildId: 0123abcd)
    (in 100 processes of worker, other, made by new[], id 00000000000000aa)

Possible leak of 500 byte(s) in 100 object(s) allocated from:
    #0 0x555555557030 (/opt/prog+0x3030) (BuildId: 0123abcd)
    #1 0x7fff12345678 (code of no module)
    (in 100 processes of worker, other, held by the stack of thread 43 (worker), outer frames are missing, made by malloc, mark 2, id 00000000000000bb)

Still reachable block of 500 byte(s) in 100 object(s) allocated from:
    #0 0x555555557030 (/opt/prog+0x3030) (BuildId: 0123abcd)
    #1 0x7fff12345678 (code of no module)
    (in 100 processes of worker, other, held by the global table of libtable.so, outer frames are missing, made by malloc, mark 2, id 00000000000000bb)

SUMMARY: mallocspy: 8500 byte(s) leaked in 300 allocation(s) in 100 processes.
Receipt of 100 processes:
  300 allocations of 6000 bytes
  300 frees
mallocspy: 1 other process is clean (3 allocations)
)");
}

TEST(TextReport, OfMergedLeaksOnlyTheLargestAreShown) {
  Findings findings = SampleLeaks(1);
  findings.children = {SampleLeaks(2)};
  const std::string text = TextReport({findings}, kPlain, 1);
  EXPECT_THAT(text, HasSubstr("Direct leak of 160 byte(s) in 4 object(s)"));
  EXPECT_THAT(text, Not(HasSubstr("Direct leak of 10 byte(s)")));
  EXPECT_THAT(text, HasSubstr("... and leaks of 18 bytes in 6 blocks; --top=N shows more of them\n"));
}

TEST(TextReport, TheSameErrorOfTwoChildrenIsThereOnce) {
  Findings findings = SampleClean(1);
  findings.children = {SampleErrors(2), SampleErrors(3)};
  const std::string text = TextReport(findings, kPlain);
  EXPECT_THAT(text,
              StartsWith("mallocspy: errors: 2 heap errors in 2 of 3 processes\n==2==ERROR: mallocspy: heap-overflow"));
  EXPECT_THAT(text, HasSubstr("[6 times]"));
  EXPECT_THAT(text, HasSubstr("    #0 0x555555554040 in first /src/a.cc:11\n    (in 2 processes of prog)\n"));
  EXPECT_EQ(text.find("double-free"), text.rfind("double-free"));
  EXPECT_THAT(text, HasSubstr("SUMMARY: mallocspy: 2 heap error(s) in 2 processes.\n"));
  EXPECT_THAT(text, HasSubstr("  degraded in 2 processes of prog: libunwind could not be loaded\n"));
}

TEST(TextReport, WhatIsNotJudgedIsALine) {
  Findings findings = SampleLeaks(1);
  findings.process.cmdline = {"/usr/bin/ctest"};
  findings.verdict.judged = false;
  findings.children = {SampleClean(2), SampleClean(3), SampleErrors(4)};
  findings.children[1].verdict.judged = findings.children[2].verdict.judged = false;
  EXPECT_THAT(
      TextReport(findings, kPlain),
      StartsWith("mallocspy: clean: prog (pid 2) freed every block, and no heap error was met\nReceipt of pid 2:\n"));
  EXPECT_THAT(TextReport(findings, kPlain),
              EndsWith("mallocspy: not judged: 3 processes of other programs (ctest, prog), 2 with leaks "
                       "or heap errors; --judge=all judges all\n"));
}

TEST(TextReport, KilledHelpersAreToldOfBehindWhatCounts) {
  Findings findings = SampleLeaks(1);
  for (uint32_t pid = 2; pid < 5; ++pid) {
    findings.children.push_back(SampleIncomplete(pid));
    findings.children.back().verdict.unchecked = false;
    findings.children.back().verdict.interrupted = true;
    findings.children.back().process.degraded = {"ended by SIGTERM"};
  }
  const std::string text = TextReport(findings, kPlain);
  EXPECT_THAT(text, StartsWith("mallocspy: leaks: prog (pid 1) had"));
  EXPECT_THAT(text, HasSubstr("\nmallocspy: incomplete: 3 processes were not checked whole: ended by SIGTERM\n"));
}

TEST(TextReport, AnImageThatExecReplacedTakesOneLine) {
  Findings findings = SampleClean(42);
  findings.children = {SampleLeaks(43)};
  findings.children[0].process.exit = {ProcessExit::Kind::kExec, 0, "/bin/ls"};
  const std::string text = TextReport(findings, kPlain);
  EXPECT_THAT(text,
              EndsWith("mallocspy: prog (pid 43) had 5 blocks (89 bytes) live when it was replaced by /bin/ls\n"));
  EXPECT_THAT(text, Not(HasSubstr("Direct leak")));
}

TEST(TextReport, HostileNamesAreEscaped) {
  Findings findings = SampleLeaks(42);
  findings.process.cmdline[0] = "\x1b]0;title\x07";
  findings.leaks[0].frames[0].function = "f\nSUMMARY: mallocspy: clean";
  findings.leaks[0].frames[1].file = "/src/\x1b[2J.cc";
  findings.leaks[0].frames[2].module = "/opt/\r";
  findings.process.degraded = {"ended by\x1b[2J"};
  const std::string text = TextReport(findings, kPlain);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_THAT(text, HasSubstr("f\\x0aSUMMARY: mallocspy: clean"));
}

TEST(TextReport, ColoursAreOnlyAdded) {
  Findings findings = SampleLeaks(42);
  findings.errors = SampleErrors(42).errors;
  findings.verdict.status = Status::kErrors;
  std::string coloured = TextReport(findings, kColoured);
  EXPECT_NE(coloured.find('\x1b'), std::string::npos);
  for (size_t at; (at = coloured.find('\x1b')) != std::string::npos;) {
    coloured.erase(at, coloured.find('m', at) - at + 1);
  }
  EXPECT_EQ(coloured, TextReport(findings, kPlain));
}

std::string Headline(const HeapError& error) {
  std::string text;
  AppendError(error, 1, kPlain, &text);
  return text.substr(0, text.find('\n'));
}

TEST(ErrorText, AnAccessThatWasMetAsItHappened) {
  HeapError error;
  error.trapped = true;
  error.address = 0x1000;
  error.size = 40;
  error.block_door = Door::kMalloc;
  error.where = {Frame{}};
  error.kind = "use-after-free-read";
  error.value = 4;
  EXPECT_THAT(Headline(error), EndsWith("use-after-free-read of 0x000000001000 (40 bytes, made by malloc), read at offset 4 of the 40-byte block"));
  EXPECT_EQ(ErrorStacks(error)[0].name, "read here:");
  error.kind = "heap-overflow";
  error.value = 43;
  EXPECT_THAT(Headline(error), EndsWith("made by malloc), written 3 bytes after the end of the 40-byte block"));
  EXPECT_EQ(ErrorStacks(error)[0].name, "written here:");
  error.kind = "heap-underflow-read";
  error.value = static_cast<uint64_t>(-17);
  EXPECT_THAT(Headline(error), EndsWith("read 17 bytes before the 40-byte block"));
}

TEST(ErrorText, EachKindTellsWhatItKnows) {
  HeapError error;
  error.address = 0x1000;
  error.size = 40;
  error.value = 8;
  error.block_door = Door::kNewArray;
  error.used_door = Door::kMalloc;
  error.kind = "invalid-free";
  EXPECT_THAT(Headline(error),
              HasSubstr("0x000000001000, which lies 8 bytes inside a block of 40 bytes made by new[]"));
  error.kind = "mismatched-free";
  EXPECT_THAT(Headline(error), HasSubstr("(40 bytes, made by new[]), used as one of malloc"));
  error.kind = "sized-delete-mismatch";
  EXPECT_THAT(Headline(error), HasSubstr("(40 bytes, made by new[]), deleted as 8 bytes"));
  error.kind = "use-after-free-write";
  EXPECT_THAT(Headline(error), HasSubstr("use-after-free-write into 0x000000001000"));
  EXPECT_THAT(Headline(error), EndsWith("first changed byte at offset 8 of the 40-byte block, found at the end of the process"));
  error.value = static_cast<uint64_t>(-3);
  EXPECT_THAT(Headline(error), HasSubstr("first changed byte 3 bytes before the 40-byte block"));
  error.kind = "heap-overflow";
  error.value = 40;
  EXPECT_THAT(Headline(error), HasSubstr("first changed byte at offset 40 (right at the end of the 40-byte block), found when it was freed"));
  error.value = 43;
  EXPECT_THAT(Headline(error), HasSubstr("(3 bytes after the end of the 40-byte block)"));
  error.value = 8;
  error.kind = "bad-alignment";
  EXPECT_THAT(Headline(error), HasSubstr("bad-alignment: 8 was asked for a block of 40 bytes (malloc)"));
  error.kind = "spy-contract";
  error.detail = "PreAlloc returned too little";
  EXPECT_THAT(Headline(error), EndsWith("spy-contract: PreAlloc returned too little"));
  error.kind = "heap-underflow";
  error.used_door = Door::kNone;
  EXPECT_THAT(Headline(error), EndsWith("found at the end of the process"));
  error.kind = "invalid-free";
  error.block_door = Door::kNone;
  EXPECT_THAT(Headline(error), EndsWith("which is not the start of a block"));
}

TEST(TextReport, ClassesAndWhatHoldsTheBlocks) {
  const std::string text = TextReport(SampleClasses(42), kPlain);
  EXPECT_THAT(text, StartsWith("mallocspy: leaks: prog (pid 42) had 2 blocks (80 bytes) lost, 1 block (5 bytes) possibly lost at the end\n"));
  EXPECT_THAT(text, HasSubstr("Direct leak of 80 byte(s) in 2 object(s)"));
  EXPECT_THAT(text, HasSubstr("Possible leak of 5 byte(s) in 1 object(s)"));
  EXPECT_THAT(text, HasSubstr("held by the stack of thread 43 (worker)"));
  EXPECT_THAT(text, HasSubstr("held by the global table of libtable.so"));
  EXPECT_THAT(text, HasSubstr("SUMMARY: mallocspy: 85 byte(s) leaked in 3 allocation(s).\n"));
  EXPECT_THAT(text, Not(HasSubstr("is not known")));
}

TEST(TextReport, WhatCanStillBeReachedIsNoLeak) {
  Findings findings = SampleClean(42);
  findings.verdict.reachability = Reachability::kComplete;
  findings.leak_groups = 1;
  findings.leak_blocks = 2;
  findings.leak_bytes = 4;
  findings.Of(LeakClass::kReachable) = {2, 4};
  const std::string text = TextReport(findings, kPlain);
  EXPECT_THAT(text, StartsWith("mallocspy: clean: prog (pid 42) lost no block, and no heap error was met; 2 blocks (4 bytes) could still be"
                               " reached at the end\n"));
  EXPECT_THAT(text, Not(HasSubstr("leaked")));
}

TEST(TextReport, AcceptedLeaksComeFirstInWords) {
  Findings findings = SampleAccepted(42);
  EXPECT_THAT(TextReport(findings, kPlain),
              StartsWith("mallocspy: clean: no new leaks, 1 known from the baseline, 1 suppressed, in prog (pid 42), and no "
                         "heap error was met\nReceipt"));
  findings.baseline.reset();
  findings.known_leaks = 0;
  EXPECT_THAT(TextReport(findings, kPlain), StartsWith("mallocspy: clean: no leaks but 1 suppressed, in prog (pid 42), "));
}

TEST(TextReport, ANewLeakIsMarkedAsSuch) {
  Findings findings = SampleClasses(42);
  findings.baseline = BaselineSummary{"old.json", 1, 1, 3, 0};
  findings.known_leaks = 3;
  findings.leaks[0].baseline = BaselineMatch{BaselineMatch::State::kGrown, 1, 40};
  findings.leaks[1].baseline = BaselineMatch{};
  const std::string text = TextReport(findings, kPlain);
  EXPECT_THAT(text, HasSubstr(" at the end, new or grown since the baseline (besides: 3 known from the baseline)\n"));
  EXPECT_THAT(text, HasSubstr("made by new[], grown since the baseline, which has 1 block (40 bytes), id "));
  EXPECT_THAT(text, HasSubstr("new since the baseline, id "));
}

}  // namespace
}  // namespace mallocspy
