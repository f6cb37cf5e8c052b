#include "tools/run/run_ledgers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/tools/ledger_builder.h"
#include "tests/scratch_directory.h"

namespace mallocspy {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class RunLedgers : public ::testing::Test {
 protected:
  void Add(uint32_t pid, uint32_t image, LedgerBuilder ledger) {
    ledger.header().pid = pid;
    scratch_.Write(std::to_string(pid) + "." + std::to_string(image) + ".mspy", ledger.Bytes());
  }
  static LedgerBuilder Ended() {
    LedgerBuilder ledger;
    ledger.End(ledger::End::kExit, 0);
    return ledger;
  }
  static LedgerBuilder Replaced() {
    LedgerBuilder ledger;
    ledger.header().end = ledger::End::kExec;
    return ledger;
  }
  Findings AssessAll(int wait_status = 0) {
    FrameNamer namer(false);
    return AssessRun(ListLedgers(scratch_.path(), 100),
                     {100, wait_status, "/bin/prog", {"prog"}, true, ListRunNotes(scratch_.path())}, UINT64_MAX,
                     &namer);
  }
  ScratchDirectory scratch_;
};

TEST_F(RunLedgers, TheLastImageOfTheFirstProcessComesFirst) {
  for (const char* const name : {"99.0.mspy", "100.0.mspy", "100.2.mspy", "100.10.mspy", "101.0.mspy", "x.mspy",
                                 "100.0.mspy.part", "libmallocspy.so"}) {
    scratch_.Write(name, "");
  }
  std::vector<std::pair<uint32_t, uint32_t>> order;
  for (const RunLedger& ledger : ListLedgers(scratch_.path(), 100)) order.emplace_back(ledger.pid, ledger.image);
  EXPECT_THAT(order, ::testing::ElementsAre(std::pair(100, 10), std::pair(100, 0), std::pair(100, 2), std::pair(99, 0),
                                            std::pair(101, 0)));
}

TEST_F(RunLedgers, ChildrenAndEarlierImages) {
  Add(100, 0, Replaced());
  Add(100, 1, Ended());
  Add(101, 0, Ended());
  const Findings findings = AssessAll(3 << 8);
  EXPECT_EQ(findings.process.pid, 100u);
  EXPECT_EQ(findings.process.exit.value, 3);  // the parent's word, not the ledger's
  EXPECT_EQ(findings.verdict.status, Status::kClean);
  ASSERT_THAT(findings.children, SizeIs(2));
  EXPECT_EQ(findings.children[0].process.exit.kind, ProcessExit::Kind::kExec);
  EXPECT_EQ(findings.children[0].verdict.status, Status::kClean);
  EXPECT_EQ(findings.children[1].process.pid, 101u);
}

TEST_F(RunLedgers, ChildrenComeInTheOrderOfTheirStarts) {
  Add(100, 0, Ended());
  for (const auto& [pid, started_ns] : {std::pair(32767u, 10u), std::pair(301u, 30u), std::pair(300u, 20u)}) {
    LedgerBuilder ledger = Ended();
    ledger.header().started_ns = started_ns;
    Add(pid, 0, std::move(ledger));
  }
  std::vector<uint32_t> pids;
  for (const Findings& child : AssessAll().children) pids.push_back(child.process.pid);
  EXPECT_THAT(pids, ::testing::ElementsAre(32767, 300, 301));
}

TEST_F(RunLedgers, ExecOfAProgramThatLeftNoRecordIsIncomplete) {
  Add(100, 0, Replaced());
  EXPECT_EQ(AssessAll().verdict.status, Status::kIncomplete);
}

TEST_F(RunLedgers, NoLedgerOfTheFirstProcess) {
  Add(101, 0, Ended());
  const Findings findings = AssessAll(SIGKILL);
  EXPECT_EQ(findings.process.pid, 100u);
  EXPECT_EQ(findings.process.exe, "/bin/prog");
  EXPECT_FALSE(findings.process.interposed);
  EXPECT_EQ(findings.process.exit.kind, ProcessExit::Kind::kSignal);
  EXPECT_TRUE(findings.verdict.unchecked);
  EXPECT_THAT(findings.process.degraded, Contains(HasSubstr("left no record")));
  EXPECT_THAT(findings.children, SizeIs(1));
}

TEST_F(RunLedgers, ADamagedLedgerIsIncompleteNotSilent) {
  Add(100, 0, Ended());
  scratch_.Write("101.0.mspy", "garbage");
  const Findings findings = AssessAll();
  ASSERT_THAT(findings.children, SizeIs(1));
  EXPECT_EQ(findings.children[0].process.pid, 101u);
  EXPECT_TRUE(findings.children[0].verdict.unchecked);
  EXPECT_THAT(findings.children[0].process.degraded, Contains(HasSubstr("cannot be read")));
}

TEST_F(RunLedgers, AChildThatStillRuns) {
  Add(100, 0, Ended());
  Add(static_cast<uint32_t>(getpid()), 0, LedgerBuilder());
  const Findings findings = AssessAll();
  ASSERT_THAT(findings.children, SizeIs(1));
  EXPECT_THAT(findings.children[0].process.degraded, Contains(HasSubstr("still running")));
}

// Above all that the kernel gives out.
constexpr char kNoPid[] = "4194305";

TEST_F(RunLedgers, ASpawnedProgramWithoutALedgerIsIncomplete) {
  Add(100, 0, Ended());
  Add(101, 0, Ended());
  symlink("/bin/followed", scratch_.File("101.spawned").c_str());
  symlink("fork", scratch_.File(std::string(kNoPid) + ".forked").c_str());
  ASSERT_THAT(AssessAll().children, SizeIs(1)) << "a fork that did nothing is nothing to tell of";
  symlink("/bin/static", scratch_.File(std::string(kNoPid) + ".spawned").c_str());
  const Findings findings = AssessAll();
  ASSERT_THAT(findings.children, SizeIs(2));
  const Findings& child = findings.children[1];
  EXPECT_EQ(child.process.pid, 4194305u);
  EXPECT_EQ(child.process.exe, "/bin/static");
  EXPECT_EQ(child.verdict.status, Status::kIncomplete);
  EXPECT_TRUE(child.verdict.unchecked);
  EXPECT_THAT(child.process.degraded, Contains(HasSubstr("left no record")));
}

TEST_F(RunLedgers, WhatCouldNotBeRecordedSaysWhy) {
  symlink("the limit", scratch_.File("100.unrecorded").c_str());
  EXPECT_THAT(AssessAll().process.degraded, Contains("its record could not be made: the limit"));
  Add(100, 0, Replaced());
  EXPECT_THAT(AssessAll().process.degraded, Contains(HasSubstr("could not be recorded (the limit)")));
  symlink("/bin/prog", scratch_.File(std::string(kNoPid) + ".spawned").c_str());
  symlink("the other limit", scratch_.File(std::string(kNoPid) + ".unrecorded").c_str());
  const Findings findings = AssessAll();
  ASSERT_THAT(findings.children, SizeIs(1));
  EXPECT_THAT(findings.children[0].process.degraded, Contains("its record could not be made: the other limit"));
}

TEST_F(RunLedgers, WhatAnotherRunRecordsIsNotMissing) {
  Add(100, 0, Ended());
  Add(101, 0, Replaced());
  symlink("/bin/prog", scratch_.File("101.elsewhere").c_str());
  symlink("/bin/prog", scratch_.File(std::to_string(getpid()) + ".elsewhere").c_str());
  const Findings findings = AssessAll();
  ASSERT_THAT(findings.children, SizeIs(1));
  EXPECT_FALSE(findings.children[0].verdict.unchecked);
  EXPECT_THAT(findings.children[0].process.degraded, Contains(HasSubstr("another 'mallocspy run' records")));
}

TEST_F(RunLedgers, AForkedChildThatRunsWithoutALedgerIsToldOf) {
  Add(100, 0, Ended());
  symlink("fork", scratch_.File(std::to_string(getpid()) + ".forked").c_str());
  const Findings findings = AssessAll();
  ASSERT_THAT(findings.children, SizeIs(1));
  EXPECT_EQ(findings.children[0].process.exit.kind, ProcessExit::Kind::kRunning);
  EXPECT_EQ(findings.children[0].verdict.status, Status::kIncomplete);
  EXPECT_FALSE(findings.children[0].verdict.unchecked) << "nothing was missed yet";
  EXPECT_THAT(findings.children[0].process.degraded, Contains(HasSubstr("had not allocated or freed yet")));
}

TEST_F(RunLedgers, AZombieDoesNotRun) {
  Add(100, 0, Ended());
  const pid_t zombie = fork();
  if (zombie == 0) _exit(0);
  siginfo_t ended;
  waitid(P_PID, static_cast<id_t>(zombie), &ended, WEXITED | WNOWAIT);
  symlink("fork", scratch_.File(std::to_string(zombie) + ".forked").c_str());
  EXPECT_THAT(AssessAll().children, SizeIs(0));
  waitpid(zombie, nullptr, 0);
}

}  // namespace
}  // namespace mallocspy
