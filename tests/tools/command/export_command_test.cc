#include "tools/command/export_command.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/tools/command/command_runner.h"
#include "tests/tools/export/sample_snapshot.h"

namespace mallocspy {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Sums {
  uint64_t allocations = 0, allocated_bytes = 0, live_blocks = 0, live_bytes = 0, peak_bytes = 0;
};

class ExportCommandTest : public ::testing::Test {
 protected:
  std::string Keep(LedgerBuilder&& ledger, const std::string& name = "x.mspy") {
    return runner_.scratch().Write(name, ledger.Bytes());
  }

  std::string Export(const std::string& format, const std::string& snapshot) {
    const CommandResult result = runner_.Run({"export", "--to=" + format, snapshot});
    EXPECT_EQ(result.status(), 0) << result.error;
    EXPECT_EQ(result.error, "");
    return result.output;
  }

  json Report(const std::string& snapshot) {
    return json::parse(runner_.Run({"report", "--format=json", "--fail-on=none", snapshot}).output)["totals"];
  }

  // What each format says in sum is what the report says.
  void ExpectTotals(const std::string& snapshot) {
    const json totals = Report(snapshot);
    const uint64_t live_bytes = totals["live_bytes"], live_blocks = totals["live_blocks"];

    uint64_t sum = 0;
    std::istringstream lines(Export("folded", snapshot));
    for (std::string line; std::getline(lines, line);) sum += std::stoull(line.substr(line.rfind(' ')));
    EXPECT_EQ(sum, live_bytes);

    const json dhat = json::parse(Export("dhat", snapshot));
    Sums sums;
    for (const json& point : dhat["pps"]) {
      sums.allocations += point["tbk"].get<uint64_t>();
      sums.allocated_bytes += point["tb"].get<uint64_t>();
      sums.live_blocks += point["ebk"].get<uint64_t>();
      sums.live_bytes += point["eb"].get<uint64_t>();
      sums.peak_bytes += point["gb"].get<uint64_t>();
      EXPECT_GE(point["mb"], point["gb"]);
      EXPECT_GE(point["mb"], point["eb"]);
      for (const json& frame : point["fs"]) EXPECT_LT(frame.get<size_t>(), dhat["ftbl"].size());
    }
    EXPECT_EQ(sums.allocations, totals["allocations"]);
    EXPECT_EQ(sums.allocated_bytes, totals["allocated_bytes"]);
    EXPECT_EQ(sums.live_blocks, live_blocks);
    EXPECT_EQ(sums.live_bytes, live_bytes);

    const json speedscope = json::parse(Export("speedscope", snapshot));
    EXPECT_EQ(sums.peak_bytes, totals["peak_bytes"]);
    const std::vector<std::string> expected = {"live_bytes", "live_blocks", "peak_bytes", "allocated_bytes", "allocations"};
    ASSERT_EQ(speedscope["profiles"].size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      const json& profile = speedscope["profiles"][i];
      uint64_t weights = 0;
      for (const json& weight : profile["weights"]) weights += weight.get<uint64_t>();
      EXPECT_EQ(weights, totals[expected[i]]) << expected[i];
      EXPECT_EQ(profile["endValue"], weights);
      EXPECT_EQ(profile["samples"].size(), profile["weights"].size());
    }

    EXPECT_THAT(Export("massif", snapshot), HasSubstr("mem_heap_B=" + std::to_string(live_bytes) + "\n"));

    const json heap = json::parse(Export("heapsnapshot", snapshot));
    uint64_t self_sizes = 0;
    for (size_t i = 3; i < heap["nodes"].size(); i += 7) self_sizes += heap["nodes"][i].get<uint64_t>();
    EXPECT_EQ(self_sizes, live_bytes);
  }

  CommandRunner runner_;
};

TEST_F(ExportCommandTest, TotalsAreTheReports) { ExpectTotals(Keep(SampleLedger())); }

TEST_F(ExportCommandTest, TotalsOfARunningProcess) {
  LedgerBuilder ledger = SampleLedger();
  ledger.header().state = ledger::State::kRunning;
  const std::string snapshot = Keep(std::move(ledger));
  EXPECT_EQ(Report(snapshot)["live_bytes"], 660);
  ExpectTotals(snapshot);
}

TEST_F(ExportCommandTest, TotalsOfAForkedChildLeaveOutItsParentsBlocks) {
  LedgerBuilder ledger = SampleLedger();
  ledger.header().origin = ledger::Origin::kFork;
  ledger.header().base_mark = 2;
  ledger.AddBlock(1, 0xb000, 33, 2);
  const std::string snapshot = Keep(std::move(ledger));
  EXPECT_EQ(Report(snapshot)["live_bytes"], 33);
  ExpectTotals(snapshot);
}

TEST_F(ExportCommandTest, AnEmptySnapshotIsAnEmptyExport) {
  LedgerBuilder ledger;
  ledger.End(ledger::End::kExit, 0);
  const std::string snapshot = Keep(std::move(ledger));
  ExpectTotals(snapshot);
  EXPECT_EQ(Export("folded", snapshot), "");
  EXPECT_EQ(Export("csv", snapshot), "address,blocks,bytes,door,mark,class,shape,type,stack,function,file,line,module\r\n");
}

TEST_F(ExportCommandTest, FoldedStacksBeginOutermostAndHaveNothingToObey) {
  const std::string folded = Export("folded", Keep(SampleLedger()));
  const std::string name = "=ev:il\",\\x0a\\x0d\\x09\\x1b[31m<script>\\xff'$(x)";
  EXPECT_EQ(folded, name + "+0x30;" + name + "+0x20 660\n");
}

TEST_F(ExportCommandTest, TheHeapSnapshotHangsTogether) {
  const json heap = json::parse(Export("heapsnapshot", Keep(SampleLedger())));
  const json &nodes = heap["nodes"], &edges = heap["edges"], &strings = heap["strings"];
  const size_t count = heap["snapshot"]["node_count"];
  ASSERT_EQ(nodes.size(), count * 7);
  ASSERT_EQ(edges.size(), heap["snapshot"]["edge_count"].get<size_t>() * 3);
  std::vector<std::vector<size_t>> to(count);
  size_t edge = 0;
  std::map<std::string, int> names;
  for (size_t i = 0; i < count; ++i) {
    ++names[strings.at(nodes[i * 7 + 1].get<size_t>())];
    for (int left = nodes[i * 7 + 4]; left > 0; --left, ++edge) {
      ASSERT_EQ(edges[edge * 3 + 2].get<size_t>() % 7, 0U);
      to[i].push_back(edges[edge * 3 + 2].get<size_t>() / 7);
    }
  }
  EXPECT_EQ(edge * 3, edges.size());
  std::vector<bool> reached(count);
  std::vector<size_t> pending = {0};
  while (!pending.empty()) {
    const size_t node = pending.back();
    pending.pop_back();
    if (reached.at(node)) continue;
    reached[node] = true;
    pending.insert(pending.end(), to[node].begin(), to[node].end());
  }
  EXPECT_EQ(std::count(reached.begin(), reached.end(), false), 0);
  EXPECT_EQ(names["(stack of thread 77 (wor\"ker))"], 1);
  EXPECT_EQ(names["(leaked)"], 1);
  EXPECT_EQ(names["(not known what holds them)"], 1);
  EXPECT_EQ(names["(std::string characters)"], 1);
  EXPECT_EQ(heap["trace_function_infos"].size(), heap["snapshot"]["trace_function_count"].get<size_t>() * 6);
  EXPECT_EQ(heap["trace_tree"].size(), 5U);
}

struct Named {
  virtual ~Named() = default;
};

TEST_F(ExportCommandTest, ObjectsHaveTheNamesOfTheirClasses) {
  const Named object;
  const void* const table = *reinterpret_cast<void* const*>(&object);
  Dl_info found;
  ASSERT_NE(dladdr(table, &found), 0);
  LedgerBuilder ledger;
  const uint32_t program = ledger.AddModule(std::filesystem::read_symlink("/proc/self/exe").string(), "", 0x1000, ledger::kModuleExecutable);
  ledger.AddBlock(ledger.AddStack({{program, 0x10}}, Door::kNew), 0x5000, 8);
  ledger.AddType(program, static_cast<uint64_t>(static_cast<const char*>(table) - static_cast<const char*>(found.dli_fbase)));
  ledger.End(ledger::End::kExit, 0);
  const std::string name = "mallocspy::(anonymous namespace)::Named", snapshot = Keep(std::move(ledger));
  EXPECT_THAT(Export("csv", snapshot), HasSubstr(",object," + name + ","));
  EXPECT_THAT(Export("heapsnapshot", snapshot), HasSubstr("\n\"" + name + "\""));
}

TEST_F(ExportCommandTest, TablesAreSafeForSpreadsheets) {
  const std::string csv = Export("csv", Keep(SampleLedger()));
  EXPECT_THAT(csv, HasSubstr("\r\n0x5000,1,300,malloc,1,reachable,object,"));
  EXPECT_THAT(csv, HasSubstr("\"'=ev;il\"\","));
  EXPECT_THAT(csv, HasSubstr("\r\n0xa000,1,0,,,unknown,,,0,,,,\r\n"));
}

// The viewers that Debian has.
TEST_F(ExportCommandTest, MsPrintReadsMassif) {
  for (const bool empty : {false, true}) {
    LedgerBuilder nothing;
    nothing.End(ledger::End::kExit, 0);
    const std::string snapshot = Keep(empty ? std::move(nothing) : SampleLedger());
    const std::string file = runner_.File("massif.out");
    EXPECT_EQ(runner_.Run({"export", "--to=massif", "-o", file, snapshot}).status(), 0);
    const CommandResult printed = runner_.RunProgram({"/usr/bin/ms_print", file});
    EXPECT_EQ(printed.status(), 0) << printed.error;
    if (empty) continue;
    EXPECT_THAT(printed.output, AllOf(HasSubstr("100.00% (660B) (heap allocation functions)"), HasSubstr("100.00% (950B) (heap allocation functions)"),
                                      HasSubstr("52.63% (500B)"), HasSubstr("1 (peak)")));
  }
}

TEST_F(ExportCommandTest, ProtocReadsPprof) {
  const std::string file = runner_.File("x.pprof");
  const std::string snapshot = Keep(SampleLedger());
  EXPECT_EQ(runner_.Run({"export", "--to=pprof", "-o" + file, snapshot}).status(), 0);
  const CommandResult decoded = runner_.RunProgram(
      {"/bin/sh", "-c", "gzip -dc < \"$1\" | protoc --decode=mallocspy.pprof.Profile -I \"$2\" tools/export/profile.proto", "sh", file, PROJECT_SOURCE});
  ASSERT_EQ(decoded.status(), 0) << decoded.error;
  std::vector<uint64_t> sums(4);
  std::istringstream lines(decoded.output);
  size_t value = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line == "sample {") value = 0;
    if (line.rfind("  value: ", 0) == 0) sums.at(value++) += std::stoull(line.substr(9));
  }
  EXPECT_THAT(sums, ::testing::ElementsAre(8, 1160, 6, 660));
  EXPECT_THAT(decoded.output, AllOf(HasSubstr("string_table: \"inuse_space\""), HasSubstr("string_table: \"abcd\""),
                                    HasSubstr("[31m<script>"), Not(HasSubstr("\\033")), HasSubstr("memory_start: 4096"), HasSubstr("string_table: \"door\"")));
}

TEST_F(ExportCommandTest, WhatCannotBeReadIsOneSentence) {
  const std::string whole = SampleLedger().Bytes();
  for (const size_t bytes : {size_t{0}, size_t{7}, size_t{1000}, size_t{4096}}) {
    const CommandResult result = runner_.Run({"export", "--to=csv", runner_.scratch().Write("cut.mspy", whole.substr(0, bytes))});
    EXPECT_EQ(result.status(), 2) << bytes;
    EXPECT_EQ(result.output, "");
    EXPECT_THAT(result.error, AllOf(StartsWith("mallocspy: "), EndsWith("\n")));
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << result.error;
  }
}

TEST_F(ExportCommandTest, WrongCommandLines) {
  const std::string snapshot = Keep(SampleLedger());
  const auto error = [&](const std::vector<std::string>& arguments) {
    const CommandResult result = runner_.Run(arguments);
    EXPECT_EQ(result.status(), 2);
    EXPECT_EQ(result.output, "");
    return result.error;
  };
  EXPECT_THAT(error({"export", snapshot}), HasSubstr("export needs a format"));
  EXPECT_THAT(error({"export", "--to=csv"}), HasSubstr("export needs one snapshot file"));
  EXPECT_THAT(error({"export", "--to=csw", snapshot}), HasSubstr("did you mean 'csv'?"));
  EXPECT_THAT(error({"export", "--to=csv", snapshot, "-o"}), HasSubstr("--output needs a value"));
  EXPECT_THAT(error({"export", "--form=csv", snapshot}), HasSubstr("there is no option '--form'"));
}

TEST_F(ExportCommandTest, WhatCannotBeWrittenIsSaid) {
  const CommandResult result = runner_.Run({"export", "--to=csv", "--output=/dev/full", Keep(SampleLedger())});
  EXPECT_EQ(result.status(), 25);
  EXPECT_THAT(result.error, HasSubstr("the export could not be written"));
}

}  // namespace
}  // namespace mallocspy
