#include "tools/report/markdown_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/report/sample_findings.h"

namespace mallocspy {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Report(const std::vector<Findings>& reports) {
  SourceRoot root("/src");
  return MarkdownReport(reports, &root);
}

TEST(MarkdownReport, Leaks) {
  EXPECT_THAT(Report({SampleLeaks(42)}), StartsWith(R"(## mallocspy: leaks

`leaks: prog (pid 42) had 5 blocks (89 bytes) live at the end`

### Leaks

| class | blocks | bytes | where |
|---|--:|--:|---|
| unknown | 2 | 80 | `inner() at a.cc:3` |
| unknown | 1 | 5 | `/opt/prog+0x3030` |
| **all** | 5 | 89 | |

Not listed: 1 smaller leak of 4 bytes in 2 blocks; `--top=N` shows more of them.

<details><summary><code>leak of 80 bytes in 2 blocks, made by new[]</code> in <code>inner() at a.cc:3</code></summary>

<pre>
leak of 80 bytes in 2 blocks, made by new[], id 00000000000000aa
    #0 0x555555555010 in inner() /src/a.cc:3
    #1 0x555555555010 in outer() /src/b.cc:14:7
    #2 0x555555556020 in main (/opt/prog+0x2020) (BuildId: 0123abcd)
</pre>
</details>

)"));
}

TEST(MarkdownReport, ErrorsAndTotals) {
  const std::string report = Report({SampleErrors(42)});
  EXPECT_THAT(report, HasSubstr(R"(### Heap errors

| error | times | where |
|---|--:|---|
| `heap-overflow` | 3 | `use at a.cc:9` |
| `double-free` | 1 | `again at a.cc:12` |

<details><summary><code>heap-overflow</code> in <code>use at a.cc:9</code></summary>
)"));
  EXPECT_THAT(report, Not(HasSubstr("### Leaks")));
  EXPECT_THAT(report, EndsWith(R"(<details><summary>Totals</summary>

<pre>
Receipt of pid 42:
  3 allocations of 60 bytes
  3 frees
  40 bytes at the peak
  1 stack
  1 allocation with a truncated stack (see stack_depth in MALLOCSPY_OPTIONS)
  2 foreign frees (of blocks that are not ours, passed on)
  degraded: libunwind could not be loaded
</pre>
</details>

)"));
}

TEST(MarkdownReport, WhatIsAccepted) {
  const std::string report = Report({SampleAccepted(42)});
  EXPECT_THAT(report, StartsWith("## mallocspy: clean\n\n`clean: no new leaks, 1 known from the baseline, 1 suppressed"));
  EXPECT_THAT(report, Not(HasSubstr("### Leaks")));
  EXPECT_THAT(report, EndsWith("### Accepted\n\n- `suppressed: 2 blocks (80 bytes) by plugins (a.supp:3): one for each "
                               "plugin.`\n- `1 suppression matched nothing: stale (a.supp:9).`\n- `since the baseline "
                               "old.json: 0 new, 0 grown, 1 known, 4 gone.`\n\n"));
}

TEST(MarkdownReport, CleanChildrenAreCounted) {
  Findings findings = SampleClean(42);
  findings.children = {SampleClean(43), SampleLeaks(44), SampleClean(45)};
  const std::string report = Report({findings});
  EXPECT_THAT(report, StartsWith("## mallocspy: leaks\n\n`leaks: prog (pid 44)"));
  EXPECT_THAT(report, Not(HasSubstr("pid 43")));
  EXPECT_THAT(report, EndsWith("`3 other processes are clean (9 allocations)`\n\n"));
}

TEST(MarkdownReport, WhatProcessesShareIsOneRow) {
  Findings findings = SampleClean(42);
  findings.children = {SampleLeaks(43), SampleLeaks(44), SampleErrors(45)};
  const std::string report = Report({findings});
  EXPECT_THAT(report, StartsWith("## mallocspy: errors\n\n`errors: 2 heap errors in 3 of 4 processes; 10 blocks"));
  EXPECT_THAT(report,
              HasSubstr("| error | processes | times | where |\n|---|--:|--:|---|\n| `heap-overflow` | 1 | 3 | "));
  EXPECT_THAT(report, HasSubstr("| class | processes | blocks | bytes | where |\n|---|--:|--:|--:|---|\n"
                                "| unknown | 2 | 4 | 160 | `inner() at a.cc:3` |\n"));
  EXPECT_THAT(report, HasSubstr("| **all** | 3 | 10 | 178 | |\n"));
  EXPECT_THAT(report, HasSubstr("\nin 2 processes of prog\n</pre>"));
}

TEST(MarkdownReport, NamesAreText) {
  const std::string report = Report({SampleNamed(42, "a|`b`</pre>\n# c")});
  EXPECT_THAT(report, HasSubstr("| ``a\\|`b`</pre>\\x0a# c at a\\|"));
  EXPECT_THAT(report, HasSubstr("in a|`b`&lt;/pre&gt;\\x0a# c "));
  EXPECT_THAT(report, Not(HasSubstr("\n# c")));
}

}  // namespace
}  // namespace mallocspy
