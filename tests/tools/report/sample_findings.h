// Findings with something of everything, for the golden texts of reports.
#pragma once

#include <string>
#include <vector>

#include "tools/verdict/findings.h"

namespace mallocspy {

inline Frame SampleFrame(uint64_t offset, const char* function, const char* file, int line) {
  Frame frame;
  frame.offset = offset;
  frame.address = 0x555555554000 + offset;
  frame.module = "/opt/prog";
  frame.build_id = "0123abcd";
  frame.function = function;
  frame.file = file;
  frame.line = line;
  return frame;
}

inline Findings SampleClean(uint32_t pid) {
  Findings findings;
  findings.process.pid = pid;
  findings.process.exe = "/opt/prog";
  findings.process.cmdline = {"prog", "-x"};
  findings.process.exit = {ProcessExit::Kind::kCode, 0, ""};
  findings.process.interposed = true;
  findings.totals.allocations = 3;
  findings.totals.allocated_bytes = 60;
  findings.totals.frees = 3;
  findings.totals.peak_bytes = 40;
  findings.totals.stacks = 1;
  return findings;
}

inline Findings SampleLeaks(uint32_t pid) {
  Findings findings = SampleClean(pid);
  Leak named;
  named.id = "00000000000000aa";
  named.blocks = 2;
  named.bytes = 80;
  named.mark = 1;
  named.door = Door::kNewArray;
  named.frames = {SampleFrame(0x1010, "inner()", "/src/a.cc", 3), SampleFrame(0x1010, "outer()", "/src/b.cc", 14),
                  SampleFrame(0x2020, "main", "", 0)};
  named.frames[0].inlined = true;
  named.frames[1].column = 7;
  Leak bare;
  bare.id = "00000000000000bb";
  bare.blocks = 1;
  bare.bytes = 5;
  bare.mark = 2;
  bare.door = Door::kMalloc;
  bare.truncated = true;
  bare.frames = {SampleFrame(0x3030, "", "", 0), Frame()};
  bare.frames[1].address = bare.frames[1].offset = 0x7fff12345678;
  findings.leaks = {named, bare};
  findings.leak_groups = 3;
  findings.leak_blocks = 5;
  findings.leak_bytes = 89;
  findings.Of(LeakClass::kUnknown) = {5, 89};
  findings.totals.live_blocks = 5;
  findings.totals.live_bytes = 89;
  findings.verdict.status = Status::kLeaks;
  return findings;
}

// The same, of which it is known what leads to the blocks: one of each class.
inline Findings SampleClasses(uint32_t pid) {
  Findings findings = SampleLeaks(pid);
  findings.Of(LeakClass::kUnknown) = {};
  findings.verdict.reachability = Reachability::kComplete;
  Leak& definite = findings.leaks[0];
  definite.leak_class = LeakClass::kDefinite;
  Leak possible = findings.leaks[1];
  possible.leak_class = LeakClass::kPossible;
  possible.root = LeakRoot{"stack", "worker", "", 43, 0x7ffd00001000};
  Leak reachable = possible;
  reachable.leak_class = LeakClass::kReachable;
  reachable.root = LeakRoot{"global", "table", "/opt/lib/libtable.so", 0, 0x7f0000001000};
  findings.leaks = {definite, possible, reachable};
  findings.Of(LeakClass::kDefinite) = {2, 80};
  findings.Of(LeakClass::kPossible) = {1, 5};
  findings.Of(LeakClass::kReachable) = {2, 4};
  return findings;
}

// A leak that is suppressed and one that is in the baseline; two suppressions, one of them for nothing.
inline Findings SampleAccepted(uint32_t pid) {
  Findings findings = SampleClasses(pid);
  Leak suppressed = findings.leaks[0];
  suppressed.suppressed_by = "plugins";
  suppressed.suppressed_because = "one for each plugin";
  Leak known = findings.leaks[1];
  known.baseline = BaselineMatch{BaselineMatch::State::kKnown, 1, 5};
  findings.leaks.clear();
  findings.leak_groups = findings.leak_blocks = findings.leak_bytes = 0;
  for (BlockTotal& total : findings.by_class) total = {};
  findings.accepted = {suppressed, known};
  findings.accepted_groups = 2;
  findings.suppressed_leaks = findings.known_leaks = 1;
  findings.verdict.status = Status::kClean;
  findings.baseline = BaselineSummary{"old.json", 0, 0, 1, 4};
  using State = SuppressionUse::State;
  findings.suppressions = {{State::kUsed, "plugins", "a.supp", 3, "one for each plugin", 2, 80},
                           {State::kUnused, "stale", "a.supp", 9, "", 0, 0}};
  return findings;
}

inline Findings SampleErrors(uint32_t pid) {
  Findings findings = SampleClean(pid);
  HeapError overflow;
  overflow.kind = "heap-overflow";
  overflow.address = 0x602000000010;
  overflow.size = 8;
  overflow.value = 8;
  overflow.block_door = Door::kMalloc;
  overflow.used_door = Door::kMalloc;
  overflow.tid = 43;
  overflow.thread_name = "worker";
  overflow.count = 3;
  overflow.where = {SampleFrame(0x10, "use", "/src/a.cc", 9)};
  overflow.allocated = {SampleFrame(0x20, "make", "/src/a.cc", 5)};
  HeapError twice;
  twice.kind = "double-free";
  twice.address = 0x602000000020;
  twice.used_door = Door::kNew;
  twice.where = {SampleFrame(0x30, "again", "/src/a.cc", 12)};
  twice.freed = {SampleFrame(0x40, "first", "/src/a.cc", 11)};
  findings.errors = {overflow, twice};
  findings.totals.truncated = 1;
  findings.totals.foreign_frees = 2;
  findings.process.degraded = {"libunwind could not be loaded"};
  findings.verdict.status = Status::kErrors;
  return findings;
}

inline Findings SampleIncomplete(uint32_t pid) {
  Findings findings = SampleClean(pid);
  findings.process.exit = {ProcessExit::Kind::kSignal, 9, ""};
  findings.process.degraded = {"a child left no record"};
  findings.verdict.status = Status::kIncomplete;
  findings.verdict.unchecked = true;
  return findings;
}

// A leak of each class, of 11 to 15 bytes.
inline Findings SampleEveryClass(uint32_t pid) {
  Findings findings = SampleLeaks(pid);
  const Leak sample = findings.leaks[0];
  findings.leaks.clear();
  for (const LeakClass leak_class :
       {LeakClass::kDefinite, LeakClass::kIndirect, LeakClass::kPossible, LeakClass::kReachable, LeakClass::kUnknown}) {
    findings.leaks.push_back(sample);
    findings.leaks.back().leak_class = leak_class;
    findings.leaks.back().bytes = 10 + findings.leaks.size();
  }
  findings.leak_groups = findings.leaks.size();
  findings.leak_blocks = 2 * findings.leaks.size();
  findings.leak_bytes = 65;
  return findings;
}

// Names that some format would take for more than names.
inline std::vector<std::string> HostileNames() {
  return {"<script>alert(1)</script>",
          "</pre></details><img src=x onerror=y>",
          "</failure></testcase>]]>&amp;\"'",
          "a|b\\|c\\",
          "`x` ``y``` **b** _i_ [l](https://example.org) ![i](x)",
          "@octocat #1 :smile: www.example.org https://example.org",
          "line\nbreak\r\n::error::forged",
          "50%0A,:; %25",
          "\x1b[2J\x07 \x01 \x7f \xc2\x85",
          "\xff\xfe\xc0\x80 \xed\xa0\x80",
          "\xef\xbf\xbf \xef\xbf\xbe \xe2\x80\xae",
          "{0} {lambda(int)#1}::operator() [x](1)",
          " leading and trailing ",
          "`",
          "| |",
          "--> <!-- <?xml ?>"};
}

// Findings in which everything that a program names is called `name`.
inline Findings SampleNamed(uint32_t pid, const std::string& name) {
  Findings findings = SampleLeaks(pid);
  findings.errors = SampleErrors(pid).errors;
  findings.verdict.status = Status::kErrors;
  findings.process.cmdline = {name, name};
  findings.process.exe = "/opt/" + name;
  findings.process.exit = {ProcessExit::Kind::kExec, 0, name};
  findings.process.degraded = {name};
  const auto rename = [&name](std::vector<Frame>* frames) {
    for (Frame& frame : *frames) {
      frame.function = name;
      frame.module = "/opt/" + name;
      if (!frame.file.empty()) frame.file = "/src/" + name;
    }
  };
  for (Leak& leak : findings.leaks) rename(&leak.frames);
  for (HeapError& error : findings.errors) {
    error.thread_name = name;
    rename(&error.where);
    rename(&error.allocated);
    rename(&error.freed);
  }
  findings.errors[0].kind = "spy-contract";
  findings.errors[0].detail = name;
  return findings;
}

}  // namespace mallocspy
