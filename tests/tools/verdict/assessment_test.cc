#include "tools/verdict/assessment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/tools/ledger_builder.h"
#include "tools/reader/reader.h"
#include "tools/verdict/leak_id.h"

namespace mallocspy {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Findings AssessLedger(LedgerBuilder* ledger, const Circumstances& circumstances = {}, uint64_t most = kAllLeaks) {
  const std::string bytes = ledger->Bytes();
  const absl::StatusOr<Snapshot> snapshot = ReadSnapshot(MemorySource(bytes), "x");
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  FrameNamer namer(false);
  return Assess(*snapshot, circumstances, most, &namer);
}

// How waitpid() says it.
int ExitedWith(int code) { return code << 8; }
int KilledBy(int signal) { return signal; }

TEST(Assessment, CleanProcess) {
  LedgerBuilder ledger;
  ledger.SetProgram("/bin/prog", {"prog", "x"});
  const uint32_t stack = ledger.AddStack({{ledger.AddModule("/nowhere/prog", "", 0), 1}}, Door::kMalloc);
  ledger.CountAllocations(stack, 4, 64);
  ledger.CountFrees(stack, 4, 64);
  ledger.header().peak_bytes = 32;
  ledger.End(ledger::End::kExit, 7);
  const Findings findings = AssessLedger(&ledger);
  EXPECT_EQ(findings.verdict.status, Status::kClean);
  EXPECT_EQ(findings.process.exe, "/bin/prog");
  EXPECT_EQ(findings.process.exit.kind, ProcessExit::Kind::kCode);
  EXPECT_EQ(findings.process.exit.value, 7);
  EXPECT_THAT(findings.process.degraded, IsEmpty());
  EXPECT_EQ(findings.totals.allocations, 4u);
  EXPECT_EQ(findings.totals.allocated_bytes, 64u);
  EXPECT_EQ(findings.totals.frees, 4u);
  EXPECT_EQ(findings.totals.live_blocks, 0u);
  EXPECT_EQ(findings.totals.peak_bytes, 32u);
  EXPECT_EQ(findings.totals.stacks, 1u);
}

TEST(Assessment, LeaksAreListedUpToTheLimitAndCountedBeyond) {
  LedgerBuilder ledger;
  const uint32_t module = ledger.AddModule("/nowhere/prog", "", 0x1000);
  for (uint64_t i = 1; i <= 5; ++i) {
    ledger.AddBlock(ledger.AddStack({{module, i}}, Door::kMalloc), 0x1000 * i, 10 * i);
  }
  ledger.End(ledger::End::kExit, 0);
  const Findings findings = AssessLedger(&ledger, {}, 2);
  EXPECT_EQ(findings.verdict.status, Status::kLeaks);
  ASSERT_THAT(findings.leaks, SizeIs(2));
  EXPECT_EQ(findings.leaks[0].bytes, 50u);
  EXPECT_EQ(findings.leaks[0].id, LeakId(Door::kMalloc, findings.leaks[0].frames));
  ASSERT_THAT(findings.leaks[0].frames, SizeIs(1));
  EXPECT_EQ(findings.leaks[0].frames[0].address, 0x1005u);
  EXPECT_EQ(findings.leaks[0].frames[0].offset, 5u);
  EXPECT_EQ(findings.leak_groups, 5u);
  EXPECT_EQ(findings.leak_blocks, 5u);
  EXPECT_EQ(findings.leak_bytes, 150u);
}

TEST(Assessment, ErrorsComeWithTheirStacksAndThread) {
  LedgerBuilder ledger;
  const uint32_t module = ledger.AddModule("/nowhere/prog", "", 0);
  ledger.AddThread(77, "worker");
  auto& error = ledger.AddError(ledger::ErrorKind::kMismatchedFree);
  error.block_door = static_cast<uint8_t>(Door::kNewArray);
  error.used_door = static_cast<uint8_t>(Door::kMalloc);
  error.tid = 77;
  error.where = ledger.AddNode({{module, 1}});
  error.allocated = ledger.AddNode({{module, 2}, {module, 3}});
  ledger.End(ledger::End::kExit, 0);
  const Findings findings = AssessLedger(&ledger);
  EXPECT_EQ(findings.verdict.status, Status::kErrors);
  ASSERT_THAT(findings.errors, SizeIs(1));
  EXPECT_EQ(findings.errors[0].kind, "mismatched-free");
  EXPECT_EQ(findings.errors[0].thread_name, "worker");
  EXPECT_THAT(findings.errors[0].where, SizeIs(1));
  EXPECT_THAT(findings.errors[0].allocated, SizeIs(2));
  EXPECT_THAT(findings.errors[0].freed, IsEmpty());
}

TEST(Assessment, EveryErrorKindHasItsName) {
  const std::vector<std::string> names = {
      "double-free",          "invalid-free",          "mismatched-free", "heap-overflow",
      "heap-underflow",       "use-after-free-write",  "sized-delete-mismatch", "bad-alignment",
      "spy-contract",         "use-after-free-read",   "heap-overflow-read",    "heap-underflow-read",
      "unbalanced-references"};
  LedgerBuilder ledger;
  for (uint32_t kind = 1; kind <= static_cast<uint32_t>(ledger::kLastErrorKind); ++kind) {
    ledger.AddError(static_cast<ledger::ErrorKind>(kind));
  }
  ledger.End(ledger::End::kExit, 0);
  const Findings findings = AssessLedger(&ledger);
  ASSERT_EQ(findings.errors.size(), names.size());
  for (size_t i = 0; i < names.size(); ++i) EXPECT_EQ(findings.errors[i].kind, names[i]);
  ASSERT_EQ(findings.injected.size(), 1u);  // no error
  EXPECT_EQ(findings.injected[0].kind, "injected-failure");
}

TEST(Assessment, AFailureOnPurposeIsNoFault) {
  LedgerBuilder ledger;
  ledger.AddError(ledger::ErrorKind::kInjectedFailure);
  ledger.End(ledger::End::kExit, 0);
  EXPECT_EQ(AssessLedger(&ledger).verdict.status, Status::kClean);
}

TEST(Assessment, ReferencesHaveTheirCallsThoseFirstThatWereNotGivenBack) {
  LedgerBuilder ledger;
  ledger.AddError(ledger::ErrorKind::kUnbalancedReferences);
  ledger.AddReferenceCall(1, 0, 0, 2);
  ledger.AddReferenceCall(1, 0, 3, 0);
  ledger.End(ledger::End::kExit, 0);
  const Findings findings = AssessLedger(&ledger);
  ASSERT_EQ(findings.errors.size(), 1u);
  ASSERT_EQ(findings.errors[0].references.size(), 2u);
  EXPECT_EQ(findings.errors[0].references[0].added, 3u);
  EXPECT_EQ(findings.errors[0].references[1].released, 2u);
}

TEST(Assessment, BlocksThatPageGuardCouldNotGuardAreTold) {
  LedgerBuilder ledger;
  ledger.header().page_guarded = 30000;
  ledger.header().mapping_limit = 65530;
  ledger.End(ledger::End::kExit, 0);
  EXPECT_THAT(AssessLedger(&ledger).process.degraded, IsEmpty());
  ledger.header().bytes_only[static_cast<uint32_t>(ledger::BytesOnly::kMappings)] = 970000;
  Findings findings = AssessLedger(&ledger);
  EXPECT_EQ(findings.verdict.status, Status::kClean);
  EXPECT_THAT(findings.process.degraded,
              ElementsAre(HasSubstr("page_guard: 30000 blocks were guarded by pages, 970000 by bytes only: the kernel allows 65530 mappings "
                                    "(vm.max_map_count")));
  ledger.header().bytes_only[static_cast<uint32_t>(ledger::BytesOnly::kSize)] = 7;
  ledger.header().bytes_only[static_cast<uint32_t>(ledger::BytesOnly::kRoom)] = 3;
  findings = AssessLedger(&ledger);
  EXPECT_THAT(findings.process.degraded, ElementsAre(HasSubstr("970010 by bytes only: 970000: the kernel allows")));
  EXPECT_THAT(findings.process.degraded,
              ElementsAre(HasSubstr("; 7: more than 1 MiB, or aligned to more than a page; 3: no place was left for their size")));
}

TEST(Assessment, AKilledProcessIsIncompleteAndSaysWhy) {
  LedgerBuilder ledger;
  Circumstances circumstances;
  circumstances.wait_status = KilledBy(SIGKILL);
  Findings findings = AssessLedger(&ledger, circumstances);
  EXPECT_EQ(findings.verdict.status, Status::kIncomplete);
  EXPECT_TRUE(findings.verdict.interrupted);
  EXPECT_EQ(findings.process.exit.kind, ProcessExit::Kind::kSignal);
  EXPECT_EQ(findings.process.exit.value, SIGKILL);
  EXPECT_THAT(findings.process.degraded, Contains(HasSubstr("ended by SIGKILL: live totals")));

  ledger.CountAllocations(ledger.AddStack({}, Door::kMalloc), 2, 20);
  findings = AssessLedger(&ledger, circumstances);
  EXPECT_EQ(findings.verdict.status, Status::kIncomplete);
  EXPECT_EQ(findings.leak_groups, 1u);
  EXPECT_EQ(findings.totals.live_bytes, 20u);
}

TEST(Assessment, ErrorsThenIncompleteThenLeaks) {
  LedgerBuilder ledger;
  ledger.AddBlock(ledger.AddStack({}, Door::kMalloc), 0x5000, 20);
  ledger.header().unfollowed_forks = 1;
  ledger.End(ledger::End::kExit, 0);
  EXPECT_EQ(AssessLedger(&ledger).verdict.status, Status::kIncomplete);
  EXPECT_EQ(AssessLedger(&ledger).leak_groups, 1u);
  ledger.AddError(ledger::ErrorKind::kDoubleFree);
  EXPECT_EQ(AssessLedger(&ledger).verdict.status, Status::kErrors);
}

TEST(Assessment, ARunningProcessSaysSo) {
  LedgerBuilder ledger;
  Circumstances circumstances;
  circumstances.still_running = true;
  const Findings findings = AssessLedger(&ledger, circumstances);
  EXPECT_EQ(findings.process.exit.kind, ProcessExit::Kind::kRunning);
  EXPECT_THAT(findings.process.degraded, Contains(HasSubstr("still running")));
}

TEST(Assessment, AnImageReplacedByExec) {
  LedgerBuilder ledger;
  ledger.header().end = ledger::End::kExec;
  ledger.header().exec_path = ledger.AddString("/bin/next");
  Circumstances circumstances;
  circumstances.later_image = true;
  Findings findings = AssessLedger(&ledger, circumstances);
  EXPECT_EQ(findings.verdict.status, Status::kClean);
  EXPECT_EQ(findings.process.exit.kind, ProcessExit::Kind::kExec);
  EXPECT_EQ(findings.process.exit.program, "/bin/next");
  EXPECT_THAT(findings.process.degraded, Contains(HasSubstr("went on as /bin/next")));

  circumstances.later_image = false;
  circumstances.wait_status = ExitedWith(0);
  findings = AssessLedger(&ledger, circumstances);
  EXPECT_EQ(findings.verdict.status, Status::kIncomplete);
  EXPECT_TRUE(findings.verdict.unchecked);
  EXPECT_EQ(findings.process.exit.kind, ProcessExit::Kind::kCode);
  EXPECT_THAT(findings.process.degraded, Contains(HasSubstr("which left no record")));

  circumstances.follow = false;
  EXPECT_FALSE(AssessLedger(&ledger, circumstances).verdict.unchecked);

  circumstances.follow = true;
  circumstances.still_running = true;  // the next image may be only just being loaded
  EXPECT_FALSE(AssessLedger(&ledger, circumstances).verdict.unchecked);
}

TEST(Assessment, AProgramWithItsOwnMallocWasNotChecked) {
  LedgerBuilder ledger;
  ledger.header().interposed = 0;
  ledger.End(ledger::End::kExit, 0);
  const Findings findings = AssessLedger(&ledger);
  EXPECT_EQ(findings.verdict.status, Status::kIncomplete);
  EXPECT_TRUE(findings.verdict.unchecked);
  EXPECT_THAT(findings.process.degraded, Contains(HasSubstr("brings its own malloc")));
}

TEST(Assessment, EveryShortcomingIsASentence) {
  for (int bit = 0; bit < 64; ++bit) {
    LedgerBuilder ledger;
    ledger.header().degraded = uint64_t{1} << bit;
    ledger.End(ledger::End::kExit, 0);
    const Findings findings = AssessLedger(&ledger);
    ASSERT_THAT(findings.process.degraded, SizeIs(1)) << "bit " << bit;
    const bool known = (uint64_t{1} << bit) <= ledger::kSpyNotLoaded;
    EXPECT_EQ(known, findings.process.degraded[0].find("does not know") == std::string::npos) << "bit " << bit;
  }
}

TEST(Assessment, ForksWithoutRecordAndDamageAreNotSilent) {
  LedgerBuilder ledger;
  ledger.header().unfollowed_forks = 2;
  ledger.AddNode({{99, 1}});  // no such module
  ledger.End(ledger::End::kExit, 0);
  const Findings findings = AssessLedger(&ledger);
  EXPECT_EQ(findings.verdict.status, Status::kIncomplete);
  EXPECT_THAT(findings.process.degraded, Contains(HasSubstr("2 forked processes")));
  EXPECT_THAT(findings.process.degraded, Contains(HasSubstr("1 record of the snapshot")));
}

TEST(Assessment, ASpyThatCouldNotBeLoadedMeansNotStarted) {
  LedgerBuilder ledger;
  ledger.header().degraded = ledger::kSpyNotLoaded;
  ledger.End(ledger::End::kExit, 1);
  EXPECT_TRUE(AssessLedger(&ledger).verdict.not_started);
}

}  // namespace
}  // namespace mallocspy
